package kernel

import "github.com/runnelio/runnel/types"

// fromTime returns the loop of a cast from a date, time or timestamp to another.
func (c *caster) fromTime() Cast {
	if c.from.IsTimestamp() {
		return c.fromTimestamp()
	}
	to, zone := c.to, types.NewZone(c.how.Zone)
	unit := int64(1)
	if c.from.Kind == types.Date {
		unit = types.MsPerDay
	}
	switch to.Kind {
	case types.Time:
		if c.from.Kind == types.Time {
			return each1(func(v int32) int32 { return types.TruncateTime(v, to.Prec) })
		}
	case types.Timestamp:
		return each1(func(v int32) types.TS { return types.TS{Ms: int64(v) * unit}.Truncate(to.Prec) })
	case types.TimestampLTZ:
		return each1(func(v int32) types.TS { return zone.ToUTC(types.TS{Ms: int64(v) * unit}).Truncate(to.Prec) })
	}
	return nil
}

func (c *caster) fromTimestamp() Cast {
	to, zone := c.to, types.NewZone(c.how.Zone)
	local := func(t types.TS) types.TS { return t }
	if c.from.Kind == types.TimestampLTZ {
		local = zone.ToLocal
	}
	switch to.Kind {
	case types.Date:
		return each1(func(t types.TS) int32 { return int32(local(t).Date()) })
	case types.Time:
		return each1(func(t types.TS) int32 { return types.TimeOfTimestamp(local(t), to.Prec) })
	case types.Timestamp:
		return each1(func(t types.TS) types.TS { return local(t).Truncate(to.Prec) })
	case types.TimestampLTZ:
		if c.from.Kind == types.Timestamp {
			return each1(func(t types.TS) types.TS { return zone.ToUTC(t).Truncate(to.Prec) })
		}
		return each1(func(t types.TS) types.TS { return t.Truncate(to.Prec) })
	}
	return nil
}
