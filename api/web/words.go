package web

import (
	"errors"
	"strings"

	"taihu/catalog"
)

// Words of code lists that have none in catalog.

var typeWords = map[catalog.Type]catalog.Text{
	catalog.Boolean: {Zh: "是或否", En: "Boolean"}, catalog.Integer: {Zh: "整数", En: "Integer"},
	catalog.Decimal: {Zh: "定点小数", En: "Decimal"}, catalog.Number: {Zh: "数值", En: "Number"},
	catalog.Date: {Zh: "日期", En: "Date"}, catalog.Time: {Zh: "时刻", En: "Time"},
	catalog.Datetime: {Zh: "日期时间", En: "Date and time"}, catalog.String: {Zh: "文本", En: "Text"},
	catalog.JSON: {Zh: "JSON", En: "JSON"},
}

var formatWords = map[string]catalog.Text{
	"csv": {Zh: "UTF-8，通用", En: "UTF-8, read anywhere"}, "xlsx": {Zh: "编码保持文本，附字段表", En: "codes stay text, with dictionary"},
	"json": {Zh: "数组，UTF-8", En: "one array, UTF-8"}, "ndjson": {Zh: "一行一条", En: "one row a line"},
	"parquet": {Zh: "带类型，可分段读", En: "typed, readable in parts"}, "tsv": {Zh: "制表符分隔", En: "tab separated"},
	"geojson": {Zh: "点，供地图", En: "points, for maps"}, "arrow": {Zh: "Arrow IPC流，带类型", En: "an IPC stream, typed"}, "xml": {Zh: "一行一个元素", En: "an element for each row"},
}

// formats is the order in which downloads are offered.
var formats = []string{"csv", "xlsx", "json", "ndjson", "parquet"}

// moreFormats are those named in one line below, where a table can have them.
var moreFormats = []struct{ format, name string }{{"geojson", "GeoJSON"}, {"tsv", "TSV"}, {"arrow", "Arrow"}, {"xml", "XML"}}

// stateBadge is the class of a state's badge.
var stateBadge = map[catalog.State]string{
	catalog.Uploading: "", catalog.Checking: "lake", catalog.Rejected: "bad", catalog.Ready: "lake", catalog.InReview: "due", catalog.Returned: "bad",
	catalog.Approved: "ok", catalog.Scheduled: "lake", catalog.Published: "ok", catalog.Withdrawn: "bad", catalog.Abandoned: "",
}

// saidWords is what a page says after an action brought its reader there.
var saidWords = map[string]catalog.Text{
	"signed-out": {Zh: "已退出登录。", En: "You are signed out."},
	"created":    {Zh: "数据集已建好，还没有数据。下一步：上传第一版。", En: "The dataset is there and has no data yet. Next: upload its first release."},
	"saved":      {Zh: "已保存。", En: "Saved."},
	// These stand while the page loads itself again and past the end of the
	// check, so they say nothing of its state.
	"uploaded":               {Zh: "文件已收到。", En: "The files have arrived."},
	"settled":                {Zh: "决定已记下。", En: "The decisions are noted."},
	"importing":              {Zh: "已记下地址，由本站去取。", En: "The address is noted; the portal fetches the file."},
	"forgotten":              {Zh: "已移除。", En: "Removed."},
	"contract":               {Zh: "约定已记下，每一版都照此检查。", En: "The contract is noted; every release is checked against it."},
	"rechecked":              {Zh: "读法已改。", En: "The options are changed."},
	"removed":                {Zh: "文件已去掉。", En: "The file is removed."},
	"kept-all":               {Zh: "上一版其余的表都已沿用。", En: "The other tables are kept from the release before."},
	"kept":                   {Zh: "这张表已从上一版沿用。", En: "The table is kept from the release before."},
	"submit":                 {Zh: "已提交，等审核员处理。", En: "Submitted. A reviewer will look at it."},
	"own-draft":              {Zh: "已提交。自己提交的草稿须由另一位审核员批准。", En: "Submitted. Another reviewer must approve what you submit."},
	"take-back":              {Zh: "已取回，可以继续修改。", En: "Taken back. You can go on changing it."},
	"approve":                {Zh: "已批准。下一步：发布。", En: "Approved. Next: publish."},
	"schedule":               {Zh: "已定时，到时自动发布。在那之前外人看不到。", En: "Scheduled. It is published then by itself; nobody outside sees it before."},
	"unschedule":             {Zh: "定时已取消。", En: "The time is taken back."},
	"return":                 {Zh: "已退回给数据员。", En: "Returned to the steward."},
	"abandon":                {Zh: "这份草稿已放弃。", En: "The draft is abandoned."},
	"published":              {Zh: "已发布。搜索结果几秒内更新。", En: "Published. Search catches up within seconds."},
	"withdrawn":              {Zh: "已撤回。页面留着，数据不再提供。", En: "Withdrawn. The page stays; its data are no longer served."},
	"key-revoked":            {Zh: "密钥已吊销，用它的程序从现在起不再通行。", En: "The key is revoked; programs that use it are refused from now on."},
	"password-changed":       {Zh: "密码已改，其他浏览器已退出登录。", En: "The password is changed. Other browsers are signed out."},
	"organization-made":      {Zh: "机构已建好。下一步：加成员。", En: "The organization is made. Next: its members."},
	"member-set":             {Zh: "成员的角色已定。", En: "The member has that role now."},
	"member-removed":         {Zh: "已移除。", En: "Removed."},
	"invitation-revoked":     {Zh: "邀请已收回，链接不再有效。", En: "The invitation is taken back; its link leads nowhere."},
	"joined":                 {Zh: "欢迎加入。", En: "Welcome."},
	"identity-linked":        {Zh: "已关联：以后可以用它登录。", En: "It is added: you can sign in with it from now on."},
	"identity-unlinked":      {Zh: "已取消关联。", En: "It is taken off."},
	"organizations-imported": {Zh: "机构已导入。", En: "The organizations are imported."},
	"restored":               {Zh: "已恢复。", En: "Restored."},
	"feedback-sent":          {Zh: "收到了，谢谢。", En: "It has arrived. Thank you."},
	"request-sent":           {Zh: "收到了，谢谢。数据员会看到。", En: "It has arrived. Thank you. The stewards will see it."},
	"synonyms-saved":         {Zh: "已保存，从下一次搜索起生效。", En: "Saved. It holds from the next search on."},
	"synonyms-kept":          {Zh: "已保存。搜索引擎暂时没有回应，恢复后一分钟内生效。", En: "Saved. The search engine does not answer now; it holds within a minute of its return."},
	"request-closed":         {Zh: "已处理。", En: "Closed."},
	"answered":               {Zh: "答复已公开。", En: "The answer is public."},
	"looked-at":              {Zh: "原话已公开。", En: "The words are public."},
	"job-retried":            {Zh: "已让它再做一次。", En: "It is run again."},
	"bulk":                   {Zh: "都改好了。", En: "All of them are changed."},
}

// said returns the sentence for a code in ?done=, or nothing for an unknown one.
func said(lang, code string) string { return saidWords[code].In(lang) }

// sentence is what an error says to a person, in lang where it can, with a full
// stop. Internal errors say nothing of themselves.
func sentence(lang string, err error) string {
	var e *catalog.Error
	if !errors.As(err, &e) {
		return phrase(lang, "本站出了问题，请稍后再试。", "Something went wrong on our side. Try again later.")
	}
	s := e.Message
	stop := "."
	if lang == "zh" && e.Zh != "" {
		s, stop = e.Zh, "。"
	}
	if s == "" {
		return s
	}
	if !strings.HasSuffix(s, stop) && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") && !strings.HasSuffix(s, "？") {
		s += stop
	}
	if lang == "en" && s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// frequencyWords are the words of a promised frequency.
func frequencyWords(lang string, f catalog.Frequency) string {
	return catalog.FrequencyNames[f].In(lang)
}

func openWords(lang string, o catalog.OpenAttribute) string {
	return catalog.OpenAttributeNames[o].In(lang)
}
