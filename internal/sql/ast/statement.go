package ast

// QueryStatement is a query as a statement.
type QueryStatement struct {
	Place
	Query Query
	Emit  *Emit // rsqldb
}

// Insert is INSERT INTO|OVERWRITE.
type Insert struct {
	Place
	Overwrite bool
	Table     *Name
	Hints     []*Hint
	Partition []*Assign // PARTITION (a = 1, b): X is nil for a dynamic partition column
	Columns   []*Ident
	Query     Query
	Emit      *Emit // rsqldb
}

// Assign is Column = X, in PARTITION, and SET of UPDATE.
type Assign struct {
	Place
	Column *Ident
	X      Expr
}

// StatementSet is EXECUTE STATEMENT SET BEGIN …; END, also written BEGIN
// STATEMENT SET; …; END; and STATEMENT SET BEGIN …; END (in EXPLAIN).
type StatementSet struct {
	Place
	Inserts []*Insert
}

// Explain is EXPLAIN [details] statement.
type Explain struct {
	Place
	// Details are ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN,
	// PLAN_ADVICE, in the order written.
	Details   []string
	Statement Statement
}

// Show is any SHOW statement.
type Show struct {
	Place
	// What is TABLES, VIEWS, CATALOGS, DATABASES, FUNCTIONS, "USER FUNCTIONS",
	// MODULES, "FULL MODULES", PROCEDURES, COLUMNS, PARTITIONS, JARS, JOBS,
	// "CURRENT CATALOG", "CURRENT DATABASE", "CREATE TABLE", "CREATE VIEW",
	// "CREATE CATALOG", MODELS, "MATERIALIZED TABLES".
	What string
	// Name is the object of CREATE …, COLUMNS and PARTITIONS; else what stands
	// behind FROM or IN (a catalog or database), nil if nothing does.
	Name      *Name
	Not       bool
	Like      string     // "LIKE", "ILIKE" or ""
	Pattern   *StringLit // of Like
	Partition []*Assign  // of PARTITIONS
}

// Describe is DESCRIBE [TABLE|CATALOG|DATABASE|FUNCTION|JOB] [EXTENDED] name.
type Describe struct {
	Place
	Kind     string // TABLE, CATALOG, DATABASE, FUNCTION, JOB
	Extended bool
	Name     *Name      // nil for JOB
	Job      *StringLit // of JOB
}

// Use is USE database, USE CATALOG c, USE MODULES a, b.
type Use struct {
	Place
	Kind  string  // DATABASE, CATALOG, MODULES
	Names []*Name // one, except for MODULES
}

// LoadModule is LOAD MODULE Name WITH (…).
type LoadModule struct {
	Place
	Name    *Ident
	Options []*Option
}

// UnloadModule is UNLOAD MODULE Name.
type UnloadModule struct {
	Place
	Name *Ident
}

// Set is SET 'key' = 'value'; without a key it lists all.
type Set struct {
	Place
	Key, Value *StringLit // both nil or both set
}

// Reset is RESET 'key'; without a key it resets all.
type Reset struct {
	Place
	Key *StringLit
}

// Jar is ADD JAR or REMOVE JAR.
type Jar struct {
	Place
	Remove bool
	Path   *StringLit
}

// Analyze is ANALYZE TABLE Name [PARTITION (…)] COMPUTE STATISTICS [FOR …].
type Analyze struct {
	Place
	Name       *Name
	Partition  []*Assign
	Columns    []*Ident // FOR COLUMNS a, b
	AllColumns bool     // FOR ALL COLUMNS
}

// Truncate is TRUNCATE TABLE Name.
type Truncate struct {
	Place
	Name *Name
}

// Update is UPDATE Table SET … WHERE ….
type Update struct {
	Place
	Table *Name
	Alias *Ident
	Set   []*Assign
	Where Expr
}

// Delete is DELETE FROM Table WHERE ….
type Delete struct {
	Place
	Table *Name
	Alias *Ident
	Where Expr
}

// CallProcedure is CALL p(…).
type CallProcedure struct {
	Place
	Call *Call
}

// StopJob is STOP JOB 'id' [WITH SAVEPOINT] [WITH DRAIN].
type StopJob struct {
	Place
	ID        *StringLit
	Savepoint bool
	Drain     bool
}

// Command is a command of the shell: QUIT, EXIT, CLEAR, HELP.
type Command struct {
	Place
	Word string
}

func (*QueryStatement) statement() {}
func (*Insert) statement()         {}
func (*StatementSet) statement()   {}
func (*Explain) statement()        {}
func (*Show) statement()           {}
func (*Describe) statement()       {}
func (*Use) statement()            {}
func (*LoadModule) statement()     {}
func (*UnloadModule) statement()   {}
func (*Set) statement()            {}
func (*Reset) statement()          {}
func (*Jar) statement()            {}
func (*Analyze) statement()        {}
func (*Truncate) statement()       {}
func (*Update) statement()         {}
func (*Delete) statement()         {}
func (*CallProcedure) statement()  {}
func (*StopJob) statement()        {}
func (*Command) statement()        {}
func (*CreateTable) statement()    {}
func (*AlterTable) statement()     {}
func (*CreateView) statement()     {}
func (*AlterView) statement()      {}
func (*CreateDatabase) statement() {}
func (*AlterDatabase) statement()  {}
func (*CreateCatalog) statement()  {}
func (*AlterCatalog) statement()   {}
func (*CreateFunction) statement() {}
func (*AlterFunction) statement()  {}
func (*Drop) statement()           {}
