package changelog

// What the manual says of the formats.
const (
	debeziumNotes = `
Types and the treatment of values as for json. Written are +I and +U as an insertion, -U and -D as a deletion. Records without a value hold no row; all rows of a record are
read or none. METADATA columns have what the record tells beside its rows, the same for all of them; what is missing is NULL.

Of op c and r are +I, u is -U and +U, d is -D. A change without the row it needs is bad: the database must be told to send whole rows (REPLICA IDENTITY FULL in PostgreSQL).
Truncates (op t) are bad, as is every other op: under 'ignore-parse-errors' they are left out.
`
	oggNotes = `
Types and the treatment of values as for json. Written are +I and +U as an insertion, -U and -D as a deletion. Records without a value hold no row; all rows of a record are
read or none. METADATA columns have what the record tells beside its rows, the same for all of them; what is missing is NULL.

Of op_type I is +I, U is -U and +U, D is -D; others, such as T of a truncate, are bad. A change without the row it needs is bad.
`
	maxwellNotes = `
Types and the treatment of values as for json. Written are +I and +U as an insertion, -U and -D as a deletion. Records without a value hold no row; all rows of a record are
read or none. METADATA columns have what the record tells beside its rows, the same for all of them; what is missing is NULL.

insert and bootstrap-insert are +I, update is -U and +U, delete is -D; bootstrap-start and bootstrap-complete hold no row; others, such as table-alter and table-truncate, are bad. old has only the fields that
changed: the others are those of data.
`
	canalNotes = `
Types and the treatment of values as for json. Written are +I and +U as an insertion, -U and -D as a deletion. Records without a value hold no row; all rows of a record are
read or none. METADATA columns have what the record tells beside its rows, the same for all of them; what is missing is NULL.

INSERT is +I, UPDATE is -U and +U, DELETE is -D; CREATE holds no row; others, such as ALTER and TRUNCATE, are bad. data and old are arrays of rows; old has only the fields that changed.
`
)
