package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Route is one address of the site in gin's form.
type Route struct {
	Method, Path string
	Handler      func(c *gin.Context) error
}

// Routes lists every address. Pages are there twice: in Chinese at /… and in
// English at /en/….
func (s *Site) Routes() []Route {
	const get, post = http.MethodGet, http.MethodPost
	pages := []Route{
		{get, "/", s.home},
		{get, "/datasets", s.search},
		{get, "/request-data", s.requestForm},
		{post, "/request-data", s.sendRequest},
		{get, "/datasets/:slug", s.dataset},
		{get, "/datasets/:slug/releases/:number", s.release},
		{post, "/datasets/:slug/releases/:number/withdraw", s.withdraw},
		{post, "/datasets/:slug/releases/:number/restore", s.restore},
		{get, "/datasets/:slug/diff", s.diffForm},
		{get, "/datasets/:slug/diff/:range", s.diff},
		{get, "/datasets/:slug/tables/:table", s.explore},
		{get, "/datasets/:slug/tables/:table/api", s.tableAPI},
		{get, "/datasets/:slug/tables/:table/joins", s.joins},
		{get, "/datasets/:slug/feedback", s.feedbackList},
		{post, "/datasets/:slug/feedback", s.sendFeedback},
		{get, "/datasets/:slug/feedback/:number", s.feedback},
		{post, "/datasets/:slug/feedback/:number/:action", s.changeFeedback},
		{get, "/organizations", s.organizations},
		{get, "/organizations/:slug", s.organization},
		{get, "/docs", s.docsIndex},
		{get, "/docs/:page", s.docsPage},
		{get, "/docs/errors/:code", s.docsError},
		{get, "/sign-in", s.signInForm},
		{post, "/sign-in", s.signIn},
		{get, "/sign-in/openid", s.openID},
		{get, OpenIDCallback, s.openIDBack},
		{post, "/sign-out", s.signOut},
		{get, "/invitation", s.invitation},
		{post, "/invitation", s.accept},
		{post, "/display", s.setDisplay},
		{get, "/account", s.account},
		{post, "/account/keys", s.makeKey},
		{post, "/account/keys/:id/revoke", s.revokeKey},
		{post, "/account/password", s.changePassword},
		{post, "/account/identities/remove", s.unlinkIdentity},
		{get, "/steward", s.steward},
		{get, "/steward/search", s.searchDesk},
		{post, "/steward/search/requests/:id/close", s.closeRequest},
		{post, "/steward/search/synonyms", s.setSynonyms},
		{get, "/steward/bulk", s.bulkForm},
		{get, "/steward/index", s.indexHealth},
		{post, "/steward/index/retry", s.retryIndexJob},
		{post, "/steward/bulk", s.bulk},
		{get, "/steward/datasets/new", s.newDatasetForm},
		{post, "/steward/datasets/new", s.newDataset},
		{get, "/steward/datasets/:slug", s.editDatasetForm},
		{post, "/steward/datasets/:slug", s.editDataset},
		{get, "/steward/datasets/:slug/record", s.record},
		{get, "/steward/datasets/:slug/upload", s.uploadForm},
		{post, "/steward/datasets/:slug/upload", s.upload},
		{get, "/steward/organization-list", s.organizationListForm},
		{post, "/steward/organization-list", s.previewOrganizations},
		{post, "/steward/organization-list/take", s.takeOrganizations},
		{get, "/steward/organizations/new", s.newOrganizationForm},
		{post, "/steward/organizations/new", s.newOrganization},
		{get, "/steward/organizations/:slug", s.editOrganizationForm},
		{post, "/steward/organizations/:slug", s.editOrganization},
		{get, "/steward/organizations/:slug/members", s.members},
		{post, "/steward/organizations/:slug/members", s.setMember},
		{post, "/steward/organizations/:slug/members/remove", s.removeMember},
		{post, "/steward/organizations/:slug/invitations", s.invite},
		{post, "/steward/organizations/:slug/invitations/:id/revoke", s.revokeInvitation},
		{get, "/steward/drafts/:id", s.draft},
		{get, "/steward/drafts/:id/contract/:table", s.contract},
		{post, "/steward/drafts/:id/contract/:table", s.changeContract},
		{post, "/steward/drafts/:id/:action", s.changeDraft},
		{get, "/steward/drafts/:id/tables/:table", s.dictionaryForm},
		{post, "/steward/drafts/:id/tables/:table", s.saveDictionary},
		{get, "/steward/drafts/:id/tables/:table/:file", s.dictionaryFile},
		{post, "/steward/drafts/:id/tables/:table/upload", s.uploadDictionary},
	}
	routes := make([]Route, 0, 2*len(pages)+3)
	for _, r := range pages {
		routes = append(routes, r, Route{r.Method, href("en", r.Path), r.Handler})
	}
	return append(routes,
		Route{get, "/en/", s.home},
		Route{get, "/static/*file", s.asset},
		Route{get, "/favicon.ico", s.favicon},
	)
}
