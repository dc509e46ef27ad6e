// Package runnel is the stream engine as a library: jobs are built from Go calls,
// from SQL, or from both, and run in this process.
//
//	env, err := runnel.New(runnel.StateDir("state"))
//	job := env.Job("hot-items")
//	err = job.From(runnel.File("orders.jsonl", runnel.Columns("item STRING, price DOUBLE"))).
//		Filter("price > ?", 10).
//		GroupBy("item").Aggregate("COUNT(*) AS n", "SUM(price) AS total").
//		To(runnel.Print()).
//		Start(ctx)
//
// Streams come in two views of one plan. A DataStream has rows; its conditions
// and expressions are SQL, so that they run over columns. A Stream[T] has Go
// values; its functions are closures. As and Stream.Data go between them.
//
// Builders return no errors: the first mistake is kept in the job with the file
// and line of the call and is returned by Start, StartAsync and Explain, before
// anything was opened.
//
// An Env is safe for concurrent use. A Job and its streams are built by one
// goroutine at a time; several jobs may be built and run at once.
//
// env.go has environments, job.go jobs, planning.go how a job's streams become
// one plan, run.go running jobs, strategy.go settings of a job; source.go,
// values.go and sequence.go where rows come from, sink.go and collect.go where
// they go; stream.go, split.go, window.go, join.go and top.go streams of rows,
// typed.go, keyed.go and operator.go streams of values; codec.go, load.go and
// store.go structs as columns, value.go single values, row.go rows; udf.go,
// udf_fn.go, udf_table.go and agg.go functions; sql.go SQL.
package runnel
