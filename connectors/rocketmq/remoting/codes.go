package remoting

import "fmt"

// Request codes.
const (
	codeSend           = 310 // SEND_MESSAGE_V2
	codeSendBatch      = 320
	codePull           = 11
	codeQueryOffset    = 14
	codeUpdateOffset   = 15
	codeCreateTopic    = 17
	codeSearchOffset   = 29
	codeMaxOffset      = 30
	codeMinOffset      = 31
	codeHeartbeat      = 34
	codeUnregister     = 35
	codeMembers        = 38
	codeGroupChanged   = 40 // from the broker
	codeLock           = 41
	codeUnlock         = 42
	codeCheckClient    = 46
	codeRoute          = 105
	codeClusterInfo    = 106
	codeDeleteInBroker = 215
	codeDeleteInServer = 216
)

// Answer codes that an Error may hold.
const (
	Success              = 0
	SystemError          = 1
	SystemBusy           = 2
	NotSupported         = 3
	FlushDiskTimeout     = 10
	SlaveNotAvailable    = 11
	FlushSlaveTimeout    = 12
	MessageIllegal       = 13
	ServiceNotAvailable  = 14
	NoPermission         = 16
	TopicNotExist        = 17
	pullNotFound         = 19
	pullRetryImmediately = 20
	pullOffsetMoved      = 21
	QueryNotFound        = 22
	SubscriptionInvalid  = 23
	GroupNotExist        = 26
	FlowControl          = 215
)

// Bits of a message's SysFlag.
const (
	sysCompressed  = 0x1
	sysBornV6      = 0x10
	sysStoreV6     = 0x20
	sysNeedUnwrap  = 0x40
	sysInnerBatch  = 0x80
	sysCompressLZ4 = 0x1 << 8
	sysCompressZst = 0x2 << 8
	sysCompressAny = 0x7 << 8
)

// Bits of a pull's sysFlag.
const (
	pullSuspend      = 0x2
	pullSubscription = 0x4
)

// Error is an answer of a server that is no success.
type Error struct {
	Op     string // what was asked
	Addr   string // of whom
	Code   int
	Remark string // the server's words
}

func (e *Error) Error() string {
	return fmt.Sprintf("rocketmq: %s at %s: %s (code %d): %s", e.Op, e.Addr, codeName(e.Code), e.Code, e.Remark)
}

// Throttled tells that the server asked to be asked again later.
func (e *Error) Throttled() bool { return e.Code == SystemBusy || e.Code == FlowControl }

// Temporary tells that the same request may succeed later without anybody's doing.
func (e *Error) Temporary() bool {
	switch e.Code {
	case SystemBusy, FlowControl, ServiceNotAvailable, SystemError:
		return true
	}
	return false
}

func codeName(code int) string {
	switch code {
	case SystemError:
		return "system error"
	case SystemBusy, FlowControl:
		return "busy"
	case NotSupported:
		return "request not supported"
	case FlushDiskTimeout:
		return "flush to disk timed out"
	case SlaveNotAvailable, FlushSlaveTimeout:
		return "replica not available"
	case MessageIllegal:
		return "message refused"
	case ServiceNotAvailable:
		return "service not available"
	case NoPermission:
		return "no permission"
	case TopicNotExist:
		return "no such topic"
	case QueryNotFound:
		return "not found"
	case SubscriptionInvalid:
		return "filter expression not understood"
	case GroupNotExist:
		return "no such consumer group"
	}
	return "refused"
}
