package builtin

import "github.com/runnelio/runnel/function"

// operatorFuncs document the syntax that the binder turns into operators
// itself. They are no functions that could be called by name.
var operatorFuncs = []function.Def{
	operator("arithmetic", "+", "(NUMERIC, NUMERIC) -> NUMERIC | (TEMPORAL, INTERVAL) -> TEMPORAL | (INTERVAL, INTERVAL) -> INTERVAL",
		"a + b: the sum. Integers wrap; DECIMALs get as many digits as the sum needs, NULL if those are over 38. An interval moves a time.", eg("1 + 2.5", "3.5")),
	operator("arithmetic", "-", "(NUMERIC, NUMERIC) -> NUMERIC | (TEMPORAL, INTERVAL) -> TEMPORAL | (INTERVAL, INTERVAL) -> INTERVAL",
		"a - b: the difference, and -a. As for +.", eg("1 - 2.5", "-1.5")),
	operator("arithmetic", "*", "(NUMERIC, NUMERIC) -> NUMERIC | (INTERVAL, NUMERIC) -> INTERVAL",
		"a * b: the product.", eg("2 * 3", "6")),
	operator("arithmetic", "/", "(NUMERIC, NUMERIC) -> NUMERIC",
		"a / b: the quotient; of integers cut to an integer. Dividing exact numbers by zero is an error.", eg("7 / 2", "3")),
	operator("arithmetic", "%", "(EXACT, EXACT) -> EXACT",
		"a % b: the remainder, with the sign of a. Dividing by zero is an error.", eg("-7 % 3", "-1")),
	operator("arithmetic", "MOD", "(EXACT, EXACT) -> EXACT", "MOD(a, b) is a % b.", eg("MOD(7, 3)", "1")),

	operator("comparison", "=", "(T, T) -> BOOLEAN", "Whether both are equal; NULL if one is NULL. Texts compare without padding.", eg("1 = 1.0", "TRUE")),
	operator("comparison", "<>", "(T, T) -> BOOLEAN", "Whether both differ; NULL if one is NULL.", eg("1 <> 2", "TRUE")),
	operator("comparison", "<", "(T, T) -> BOOLEAN", "Whether the first is less; texts compare by their bytes.", eg("'a' < 'b'", "TRUE")),
	operator("comparison", "<=", "(T, T) -> BOOLEAN", "Whether the first is less or equal.", eg("1 <= 1", "TRUE")),
	operator("comparison", ">", "(T, T) -> BOOLEAN", "Whether the first is greater.", eg("1 > 1", "FALSE")),
	operator("comparison", ">=", "(T, T) -> BOOLEAN", "Whether the first is greater or equal.", eg("1 >= 1", "TRUE")),
	alias(operator("comparison", "BETWEEN", "(T, T, T) -> BOOLEAN", "x BETWEEN a AND b is x >= a AND x <= b; with SYMMETRIC a and b may be in either order. NOT BETWEEN is the opposite.",
		eg("2 BETWEEN 1 AND 3", "TRUE"), eg("2 BETWEEN SYMMETRIC 3 AND 1", "TRUE")), "BETWEEN ASYMMETRIC", "BETWEEN SYMMETRIC", "NOT BETWEEN", "NOT BETWEEN ASYMMETRIC", "NOT BETWEEN SYMMETRIC"),
	operator("comparison", "IN", "(T, T...) -> BOOLEAN", "x IN (a, b, …), or x IN (SELECT …): whether x equals one of them; NULL if none does and one is NULL.", eg("1 IN (1, 2)", "TRUE")),
	operator("comparison", "NOT IN", "(T, T...) -> BOOLEAN", "The opposite of IN.", eg("1 NOT IN (1, 2)", "FALSE")),
	operator("comparison", "EXISTS", "(ANY) -> BOOLEAN!", "EXISTS (SELECT …): whether the query has a row."),
	operator("comparison", "IS NULL", "(ANY) -> BOOLEAN!", "Whether the value is NULL.", eg("1 IS NULL", "FALSE")),
	operator("comparison", "IS NOT NULL", "(ANY) -> BOOLEAN!", "Whether the value is not NULL.", eg("1 IS NOT NULL", "TRUE")),
	operator("comparison", "IS DISTINCT FROM", "(T, T) -> BOOLEAN!", "Whether both differ, NULL being equal to NULL.", eg("1 IS DISTINCT FROM CAST(NULL AS INT)", "TRUE")),
	operator("comparison", "IS NOT DISTINCT FROM", "(T, T) -> BOOLEAN!", "Whether both are equal, NULL being equal to NULL.", eg("1 IS NOT DISTINCT FROM 1", "TRUE")),

	operator("logical", "AND", "(BOOLEAN, BOOLEAN) -> BOOLEAN", "Whether both hold: FALSE if one is FALSE, else NULL if one is NULL.", eg("TRUE AND CAST(NULL AS BOOLEAN)", "<NULL>")),
	operator("logical", "OR", "(BOOLEAN, BOOLEAN) -> BOOLEAN", "Whether one holds: TRUE if one is TRUE, else NULL if one is NULL.", eg("TRUE OR CAST(NULL AS BOOLEAN)", "TRUE")),
	operator("logical", "NOT", "(BOOLEAN) -> BOOLEAN", "The opposite; NULL of NULL.", eg("NOT TRUE", "FALSE")),
	alias(operator("logical", "IS TRUE", "(BOOLEAN) -> BOOLEAN!", "Whether it is TRUE; FALSE for NULL. IS NOT TRUE is the opposite.", eg("TRUE IS TRUE", "TRUE")), "IS NOT TRUE"),
	alias(operator("logical", "IS FALSE", "(BOOLEAN) -> BOOLEAN!", "Whether it is FALSE; FALSE for NULL. IS NOT FALSE is the opposite.", eg("TRUE IS FALSE", "FALSE")), "IS NOT FALSE"),
	alias(operator("logical", "IS UNKNOWN", "(BOOLEAN) -> BOOLEAN!", "Whether it is NULL. IS NOT UNKNOWN is the opposite.", eg("TRUE IS UNKNOWN", "FALSE")), "IS NOT UNKNOWN"),

	operator("conditional", "CASE", "(BOOLEAN, T, …) -> T",
		"CASE WHEN a THEN x … ELSE y END is the x of the first a that is TRUE; CASE v WHEN w THEN x … compares v with each w. Without ELSE it is NULL. What is not needed is not computed.",
		eg("CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END", "b")),
	operator("conditional", "IF", "(BOOLEAN, T, T) -> T", "IF(a, x, y) is x if a is TRUE, else y. The other is not computed.", eg("IF(1 > 2, 'a', 'b')", "b")),
	operator("conditional", "COALESCE", "(T, T...) -> T", "The first argument that is not NULL. Those behind it are not computed.", eg("COALESCE(CAST(NULL AS INT), 5)", "5")),
	operator("conditional", "IFNULL", "(T, T) -> T", "The first argument, or the second if that is NULL.", eg("IFNULL(CAST(NULL AS INT), 5)", "5")),
	operator("conditional", "NULLIF", "(T, T) -> T?", "NULL if both are equal, else the first.", eg("NULLIF(5, 5)", "<NULL>")),

	operator("constructor", "ARRAY", "(T, T...) -> ARRAY<T>!", "ARRAY[a, b, …] is the array of the values.", eg("ARRAY[1, 2]", "[1, 2]")),
	operator("constructor", "MAP", "(K, V, …) -> MAP<K, V>!", "MAP[k, v, …] is the map of keys and values in turn.", eg("MAP['a', 1]", "{a=1}")),
	operator("constructor", "ROW", "(ANY, ANY...) -> ROW!", "ROW(a, b, …) is the row of the values.", eg("ROW(1, 'a')", "(1, a)")),
	operator("conversion", "CAST", "(ANY) -> ANY", "CAST(x AS type) converts; what can not be converted is an error.", eg("CAST('12' AS INT)", "12")),
	operator("conversion", "TRY_CAST", "(ANY) -> ANY?", "TRY_CAST(x AS type) converts; what can not be converted becomes NULL.", eg("TRY_CAST('x' AS INT)", "<NULL>")),
}

// alias adds names to a definition.
func alias(d function.Def, aliases ...string) function.Def {
	d.Aliases = aliases
	return d
}

func operator(group, name, sig, doc string, egs ...function.Example) function.Def {
	return function.Def{Name: name, Group: group, Sig: sig, Doc: doc, Eg: egs, Special: true}
}
