package ast

func (k *kids) statement(n Statement) {
	switch n := n.(type) {
	case *QueryStatement:
		one(k, n.Query)
		one(k, n.Emit)
	case *Insert:
		one(k, n.Table)
		many(k, n.Hints)
		many(k, n.Partition)
		many(k, n.Columns)
		one(k, n.Query)
		one(k, n.Emit)
	case *StatementSet:
		many(k, n.Inserts)
	case *Explain:
		one(k, n.Statement)
	case *Show:
		one(k, n.Name)
		one(k, n.Pattern)
		many(k, n.Partition)
	case *Describe:
		one(k, n.Name)
		one(k, n.Job)
	case *Use:
		many(k, n.Names)
	case *LoadModule:
		one(k, n.Name)
		many(k, n.Options)
	case *UnloadModule:
		one(k, n.Name)
	case *Set:
		one(k, n.Key)
		one(k, n.Value)
	case *Reset:
		one(k, n.Key)
	case *Jar:
		one(k, n.Path)
	case *Analyze:
		one(k, n.Name)
		many(k, n.Partition)
		many(k, n.Columns)
	case *Truncate:
		one(k, n.Name)
	case *Update:
		one(k, n.Table)
		one(k, n.Alias)
		many(k, n.Set)
		one(k, n.Where)
	case *Delete:
		one(k, n.Table)
		one(k, n.Alias)
		one(k, n.Where)
	case *CallProcedure:
		one(k, n.Call)
	case *StopJob:
		one(k, n.ID)
	default:
		k.ddl(n)
	}
}

func (k *kids) ddl(n Statement) {
	switch n := n.(type) {
	case *CreateTable:
		one(k, n.Name)
		k.elements(&n.TableElements)
		many(k, n.ColumnNames)
		one(k, n.Comment)
		one(k, n.Distribution)
		many(k, n.PartitionedBy)
		many(k, n.Options)
		one(k, n.Like)
		one(k, n.As)
	case *AlterTable:
		one(k, n.Name)
		one(k, n.Action)
	case *CreateView:
		one(k, n.Name)
		many(k, n.Columns)
		one(k, n.Comment)
		one(k, n.As)
	case *AlterView:
		one(k, n.Name)
		one(k, n.Rename)
		one(k, n.As)
	case *CreateDatabase:
		one(k, n.Name)
		one(k, n.Comment)
		many(k, n.Options)
	case *AlterDatabase:
		one(k, n.Name)
		many(k, n.Options)
	case *CreateCatalog:
		one(k, n.Name)
		one(k, n.Comment)
		many(k, n.Options)
	case *AlterCatalog:
		one(k, n.Name)
		many(k, n.Set)
		many(k, n.Reset)
		one(k, n.Comment)
	case *CreateFunction:
		one(k, n.Name)
		one(k, n.Class)
		many(k, n.Jars)
		many(k, n.Options)
	case *AlterFunction:
		one(k, n.Name)
		one(k, n.Class)
	case *Drop:
		one(k, n.Name)
	}
}

func (k *kids) elements(n *TableElements) {
	many(k, n.Columns)
	many(k, n.Watermarks)
	many(k, n.Constraints)
	one(k, n.Period)
}

func (k *kids) alterAction(n AlterAction) {
	switch n := n.(type) {
	case *RenameTo:
		one(k, n.Name)
	case *SetOptions:
		many(k, n.Options)
	case *ResetOptions:
		many(k, n.Keys)
	case *AlterElements:
		k.elements(&n.TableElements)
		one(k, n.Distribution)
	case *RenameColumn:
		one(k, n.From)
		one(k, n.To)
	case *DropElements:
		many(k, n.Columns)
		one(k, n.Constraint)
	case *AlterPartitions:
		many(k, n.Partitions)
	}
}

// part collects the children of nodes that belong to no family.
func (k *kids) part(n Node) {
	switch n := n.(type) {
	case *Name:
		many(k, n.Parts)
	case *Option:
		one(k, n.Key)
		one(k, n.Value)
	case *Alias:
		one(k, n.Name)
		many(k, n.Columns)
	case *SelectItem:
		one(k, n.X)
		one(k, n.Alias)
	case *GroupBy:
		many(k, n.Items)
	case *GroupItem:
		many(k, n.X)
		many(k, n.Items)
	case *NamedWindow:
		one(k, n.Name)
		one(k, n.Spec)
	case *Hint:
		many(k, n.Options)
	case *CTE:
		one(k, n.Name)
		many(k, n.Columns)
		one(k, n.Query)
	case *Emit:
		many(k, n.Strategies)
	case *EmitStrategy:
		one(k, n.Delay)
	case *When:
		many(k, n.Conds)
		one(k, n.Then)
	case *WindowSpec:
		one(k, n.Base)
		many(k, n.PartitionBy)
		many(k, n.OrderBy)
		one(k, n.Frame)
	case *Frame:
		one(k, n.Start)
		one(k, n.End)
	case *Bound:
		one(k, n.Offset)
	case *SortItem:
		one(k, n.X)
	case *Measure:
		one(k, n.X)
		one(k, n.Alias)
	case *AfterMatch:
		one(k, n.Variable)
	case *Subset:
		one(k, n.Name)
		many(k, n.Variables)
	case *Define:
		one(k, n.Variable)
		one(k, n.Cond)
	default:
		k.ddlPart(n)
	}
}

func (k *kids) ddlPart(n Node) {
	switch n := n.(type) {
	case *Column:
		one(k, n.Name)
		one(k, n.Type)
		one(k, n.X)
		one(k, n.From)
		one(k, n.Constraint)
		one(k, n.Comment)
		one(k, n.Position)
	case *ColumnPosition:
		one(k, n.After)
	case *Watermark:
		one(k, n.Label)
		one(k, n.Column)
		one(k, n.X)
	case *Constraint:
		one(k, n.Name)
		many(k, n.Columns)
	case *Distribution:
		many(k, n.Columns)
		one(k, n.Buckets)
	case *LikeTable:
		one(k, n.Name)
		many(k, n.Rules)
	case *Partition:
		many(k, n.Spec)
		many(k, n.Options)
	case *ViewColumn:
		one(k, n.Name)
		one(k, n.Comment)
	case *Assign:
		one(k, n.Column)
		one(k, n.X)
	}
}
