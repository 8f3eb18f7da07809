// Package client speaks to a Taihu server over its HTTP API, for the commands
// and for other Go programs.
//
// It knows addresses, tokens and the one error shape; it reads no database and
// starts no server.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"taihu/api"
	"taihu/api/handle"
)

// Client is one server seen by one token.
type Client struct {
	Server string // address without a trailing slash
	Token  string // empty: anonymous
	HTTP   *http.Client
}

// New returns a client for the server at address.
func New(server, token string) *Client {
	return &Client{Server: strings.TrimRight(server, "/"), Token: token, HTTP: &http.Client{}}
}

// Do sends a request with an optional JSON body and decodes the answer into out.
// A problem comes back as *handle.Problem.
func (c *Client) Do(ctx context.Context, method, path string, body, out any) error {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return c.send(ctx, method, path, r, -1, "application/json", out)
}

func (c *Client) send(ctx context.Context, method, path string, body io.Reader, length int64, media string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.Server+path, body)
	if err != nil {
		return err
	}
	if length >= 0 {
		req.ContentLength = length
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		var u *url.Error // says method and address over again
		if errors.As(err, &u) {
			err = u.Err
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("the server %s does not answer: %w", c.Server, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return problem(resp)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: answer is not the expected JSON: %w", method, path, err)
	}
	return nil
}

// problem is the error of an answer that is none; *busy where it says when to ask
// again.
func problem(resp *http.Response) error {
	p := &handle.Problem{}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if json.Unmarshal(b, p) != nil || p.Status == 0 {
		p = &handle.Problem{Status: resp.StatusCode, Code: "not_taihu", Title: resp.Status,
			Detail: fmt.Sprintf("%s answered %s without a problem description: is this a Taihu server?", resp.Request.URL.Host, resp.Status)}
	}
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return p
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 1
	}
	return &busy{p, min(time.Duration(seconds)*time.Second, longestWait)}
}

// CodeOf returns the code of the problem in err, or "".
func CodeOf(err error) string {
	var p *handle.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// Dataset reads a dataset.
func (c *Client) Dataset(ctx context.Context, slug string) (*api.Dataset, error) {
	var d api.Dataset
	return &d, c.Do(ctx, http.MethodGet, "/api/v1/datasets/"+url.PathEscape(slug), nil, &d)
}

// Release reads a release; "latest" or a number.
func (c *Client) Release(ctx context.Context, slug, release string) (*api.Release, error) {
	var r api.Release
	return &r, c.Do(ctx, http.MethodGet, "/api/v1/datasets/"+url.PathEscape(slug)+"/releases/"+url.PathEscape(release), nil, &r)
}

// CreateDataset makes a dataset.
func (c *Client) CreateDataset(ctx context.Context, e api.DatasetEdit) (*api.Dataset, error) {
	var d api.Dataset
	return &d, c.Do(ctx, http.MethodPost, "/api/v1/datasets", e, &d)
}

// CreateOrganization makes an organization.
func (c *Client) CreateOrganization(ctx context.Context, e api.OrganizationEdit) error {
	return c.Do(ctx, http.MethodPost, "/api/v1/organizations", e, nil)
}

// CreateDraft begins a release.
func (c *Client) CreateDraft(ctx context.Context, slug string, e api.DraftEdit) (*api.Draft, error) {
	var d api.Draft
	return &d, c.Do(ctx, http.MethodPost, "/api/v1/datasets/"+url.PathEscape(slug)+"/releases", e, &d)
}

// Draft reads a draft.
func (c *Client) Draft(ctx context.Context, id string) (*api.Draft, error) {
	var d api.Draft
	return &d, c.Do(ctx, http.MethodGet, "/api/v1/drafts/"+url.PathEscape(id), nil, &d)
}

// Act does one verb of a draft: submit, take-back, approve, publish, abandon.
func (c *Client) Act(ctx context.Context, id, verb string) (*api.Draft, error) {
	var d api.Draft
	return &d, c.Do(ctx, http.MethodPost, "/api/v1/drafts/"+url.PathEscape(id)+"/"+verb, nil, &d)
}

// PutFile uploads size bytes of body as a file of a draft. options are the
// parameters of the address, such as sheet and encoding.
func (c *Client) PutFile(ctx context.Context, id, name string, options url.Values, body io.Reader, size int64) (*api.Draft, error) {
	path := "/api/v1/drafts/" + url.PathEscape(id) + "/files/" + url.PathEscape(name)
	if len(options) > 0 {
		path += "?" + options.Encode()
	}
	var d api.Draft
	return &d, c.send(ctx, http.MethodPut, path, body, size, "application/octet-stream", &d)
}
