package handle

// Limits are the numbers in force, as /api/v1/limits answers them and the docs
// name them. 0 is no limit.
type Limits struct {
	Queries struct {
		Anonymous int `json:"anonymous" doc:"From one address without a key; of IPv6, one /64"`
		Key       int `json:"key" doc:"Of one user, all his keys and browsers together"`
	} `json:"queries_per_minute" doc:"What costs a query: rows, filtered exports, manifests and estimates of what is not kept, the explorer. Whole tables, originals and kept exports cost none"`
	Query struct {
		Rows          int   `json:"rows" doc:"Of one page"`
		PageSeconds   int   `json:"page_seconds" doc:"Longest run of a page"`
		ExportSeconds int   `json:"export_seconds" doc:"Longest run of an export"`
		MemoryMB      int   `json:"memory_mb" doc:"Of the process that runs the query"`
		PageCost      int64 `json:"page_cost_millions" doc:"Rows times comparisons of a page's conditions, those that search a text counting twenty; millions"`
		ExportCost    int64 `json:"export_cost_millions" doc:"The same of an export"`
		TextBytes     int   `json:"text_bytes" doc:"Of each parameter of a query"`
		Comparisons   int   `json:"comparisons" doc:"In one condition"`
	} `json:"query" doc:"One query; 422 query_too_expensive and 400 say which limit it was"`
	Queue struct {
		Running          int `json:"running" doc:"Queries at the same time"`
		RunningPerClient int `json:"running_per_client" doc:"Of them for one client"`
		Waiting          int `json:"waiting" doc:"Queries that may wait; further ones are answered 503 busy"`
		WaitingPerClient int `json:"waiting_per_client" doc:"Of them for one client, while others wait"`
		WaitSeconds      int `json:"wait_seconds" doc:"How long they wait"`
	} `json:"queue"`
	Feedback struct {
		Anonymous  int `json:"anonymous" doc:"An hour, from one address without a key; of IPv6, one /64"`
		Key        int `json:"key" doc:"An hour, of one user"`
		AnswerDays int `json:"answer_days" doc:"Working days in which a report is to be answered"`
	} `json:"feedback" doc:"Reports of errors"`
	KeptExportsMB int `json:"kept_exports_mb" doc:"Room for encoded exports; what was not used for longest goes"`
	UploadMB      int `json:"upload_mb" doc:"Largest uploaded file"`
}
