package builtin

import (
	"slices"
)

// aggFuncs are all aggregate functions.
var aggFuncs = slices.Concat(aggBasicFuncs, aggValueFuncs, aggCollectFuncs, aggStatFuncs, aggJSONFuncs, aggBitmapFuncs, aggOverFuncs)
