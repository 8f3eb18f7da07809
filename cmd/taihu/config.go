package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"taihu/api/signin"
	"taihu/api/web"
	"taihu/catalog/fetch"
	"taihu/catalog/ingest"
	"taihu/catalog/table"
)

// Config is every setting, with its default. A setting is given as a flag, as an
// environment variable or as a line `name = value` of the file that --config
// names; the flag wins over the variable, the variable over the file.
type Config struct {
	File string `name:"config" env:"TAIHU_CONFIG" placeholder:"FILE" help:"File with settings, one \"name = value\" a line, names as the flags."`

	Listen   string `env:"TAIHU_LISTEN" default:"127.0.0.1:8080" help:"Address the server listens on."`
	BaseURL  string `name:"base-url" env:"TAIHU_BASE_URL" placeholder:"URL" help:"Public address of the portal; by default http:// and the listening address."`
	Data     string `env:"TAIHU_DATA" default:"taihu-data" type:"path" help:"Folder for the embedded database, blobs and index."`
	Database string `env:"TAIHU_DATABASE" placeholder:"DSN" secret:"dsn" help:"postgres://… or sqlite:PATH; by default sqlite in the data folder."`

	MeiliURL   string `name:"meili-url" env:"TAIHU_MEILI_URL" placeholder:"URL" help:"Meilisearch server; without it the embedded index is used."`
	MeiliKey   string `name:"meili-key" env:"TAIHU_MEILI_KEY" placeholder:"KEY" secret:"all" help:"Key for the Meilisearch server."`
	MeiliIndex string `name:"meili-index" env:"TAIHU_MEILI_INDEX" default:"taihu" help:"Name of the index on the Meilisearch server."`

	NameZh string `name:"name-zh" env:"TAIHU_NAME_ZH" default:"太湖公共数据开放平台" help:"Name of the portal in Chinese."`
	NameEn string `name:"name-en" env:"TAIHU_NAME_EN" default:"Taihu Open Data" help:"Name of the portal in English."`

	Jobs          int    `env:"TAIHU_JOBS" default:"2" help:"Jobs run at a time."`
	NoJobs        bool   `name:"no-jobs" env:"TAIHU_NO_JOBS" help:"Serve without a job runner inside; start some with taihu work."`
	Queries       int    `env:"TAIHU_QUERIES" default:"4" help:"Query children at the most."`
	QueryMemory   int    `env:"TAIHU_QUERY_MEMORY" default:"512" help:"Memory of one query child, MB."`
	QuerySeconds  int    `env:"TAIHU_QUERY_SECONDS" default:"600" help:"Longest run of one query, seconds."`
	QueryCost     int    `env:"TAIHU_QUERY_COST" default:"2000" help:"Most that the conditions of one page may cost, million comparisons, of an export ten times as much; 0 for anything."`
	IngestMemory  int    `env:"TAIHU_INGEST_MEMORY" default:"512" help:"Memory of one ingest child, MB."`
	IngestSeconds int    `env:"TAIHU_INGEST_SECONDS" default:"1800" help:"Longest check of one file, seconds."`
	ScanCommand   string `name:"scan-command" env:"TAIHU_SCAN_COMMAND" placeholder:"COMMAND" help:"Virus scanner, run on each uploaded file before anything reads it, such as clamdscan --fdpass --no-summary: exit code 0 clean, 1 found. Where it does not answer, files are refused; none by default."`
	LibreOffice   string `name:"libreoffice" env:"TAIHU_LIBREOFFICE" placeholder:"PROGRAM" help:"LibreOffice, which converts .xls and .ods for reading; by default soffice where it is on PATH; off for none."`
	KeptExports   int    `name:"kept-exports" env:"TAIHU_KEPT_EXPORTS" default:"20480" help:"Room for encoded exports, MB; what was not used for longest goes."`
	KeptAnswers   int    `name:"kept-answers" env:"TAIHU_KEPT_ANSWERS" default:"64" help:"Room for answers of searches, MB; 0 keeps none."`
	MaxUpload     int    `env:"TAIHU_MAX_UPLOAD" default:"4096" help:"Largest uploaded file, MB."`

	ImportNetworks []string `name:"import-networks" env:"TAIHU_IMPORT_NETWORKS" placeholder:"CIDR" help:"Networks beside the public internet from which stewards may have files fetched by address, such as 10.1.2.0/24; none by default."`
	ImportPorts    []int    `name:"import-ports" env:"TAIHU_IMPORT_PORTS" default:"80,443" help:"Ports from which files may be fetched by address."`

	AnonymousQueries int `name:"anonymous-queries" env:"TAIHU_ANONYMOUS_QUERIES" default:"600" help:"Queries a minute from one address without a key; 0 for any number."`
	KeyQueries       int `name:"key-queries" env:"TAIHU_KEY_QUERIES" default:"3000" help:"Queries a minute of one user, with keys or signed in; 0 for any number."`

	AnswerDays int    `name:"answer-days" env:"TAIHU_ANSWER_DAYS" default:"5" help:"Working days in which readers' reports of errors are to be answered."`
	Calendar   string `env:"TAIHU_CALENDAR" placeholder:"FILE" help:"File with holidays and working weekends beyond those of 2025 and 2026 that are built in."`

	OIDCIssuer       string `name:"oidc-issuer" env:"TAIHU_OIDC_ISSUER" placeholder:"URL" help:"OpenID provider by which people can sign in; none by default."`
	OIDCClientID     string `name:"oidc-client-id" env:"TAIHU_OIDC_CLIENT_ID" placeholder:"ID" help:"How the portal is known to the OpenID provider."`
	OIDCClientSecret string `name:"oidc-client-secret" env:"TAIHU_OIDC_CLIENT_SECRET" placeholder:"SECRET" secret:"all" help:"The portal's secret there; none for a public client."`
	OIDCName         string `name:"oidc-name" env:"TAIHU_OIDC_NAME" placeholder:"NAME" help:"What the button calls the OpenID provider; by default its host."`
	OIDCLinkMail     bool   `name:"oidc-link-mail" env:"TAIHU_OIDC_LINK_MAIL" help:"Let a mail address that the OpenID provider has verified lead to the account whose login it is."`

	TrustedProxies []string `env:"TAIHU_TRUSTED_PROXIES" placeholder:"CIDR" help:"Proxies whose X-Forwarded-* headers count."`
	LogLevel       string   `env:"TAIHU_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level logged: debug, info, warn, error."`
	LogFormat      string   `env:"TAIHU_LOG_FORMAT" default:"text" enum:"text,json" help:"Form of log lines: text or json."`
}

// otherVariables are TAIHU_ variables that are not settings: for tests, for
// fault injection, and for the steward's commands.
var otherVariables = []string{"TAIHU_REQUIRE", "TAIHU_POSTGRES", "TAIHU_FAILPOINT", "TAIHU_SERVER", "TAIHU_TOKEN", "TAIHU_BENCH_ROWS", "TAIHU_SOAK", "TAIHU_SHOTS", "TAIHU_PYTHON", "TAIHU_TABLETEST_SEED", "TAIHU_TABLETEST_TABLES"}

func (c *Config) dsn() string {
	if c.Database != "" {
		return c.Database
	}
	return "sqlite:" + filepath.Join(c.Data, "taihu.db")
}

func (c *Config) baseURL(address string) string {
	if c.BaseURL != "" {
		return strings.TrimRight(c.BaseURL, "/")
	}
	return "http://" + address
}

// fetcher is what fetches files by address.
func (c *Config) fetcher() *fetch.Client {
	f := fetch.Config{Ports: c.ImportPorts, Most: int64(c.MaxUpload) << 20}
	for _, s := range c.ImportNetworks {
		f.Networks = append(f.Networks, netip.MustParsePrefix(s)) // check has read it
	}
	return fetch.New(f)
}

// resolve adds the settings file, if one is named, and refuses unknown keys in
// it and unknown TAIHU_ variables.
func resolve(parser *kong.Kong, args []string, env environment) error {
	known := map[string]bool{}
	var variables []string
	fields := reflect.TypeFor[Config]()
	for i := range fields.NumField() {
		variables = append(variables, fields.Field(i).Tag.Get("env"))
	}
	for _, flag := range parser.Model.Flags {
		if flag.Name != "help" && flag.Name != "config" {
			known[flag.Name] = true
		}
	}
	for _, kv := range env.Environ {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "TAIHU_") && !slices.Contains(variables, name) && !slices.Contains(otherVariables, name) {
			return fmt.Errorf("the environment variable %s is not a setting%s", name, didYouMean(name, variables))
		}
	}
	path := configPath(args, env)
	if path == "" {
		return nil
	}
	values, err := readSettings(path, known)
	if err != nil {
		return err
	}
	return kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs { // kong would let the file win over the environment
			if _, set := env.Getenv(name); set {
				return nil, nil
			}
		}
		if v, ok := values[flag.Name]; ok {
			return v, nil
		}
		return nil, nil
	})).Apply(parser)
}

func configPath(args []string, env environment) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	v, _ := env.Getenv("TAIHU_CONFIG")
	return v
}

func readSettings(path string, known map[string]bool) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	defer f.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff")) // some editors begin a file so
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok {
			return nil, fmt.Errorf("%s line %d: expected name = value", path, n)
		}
		if !known[name] {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			return nil, fmt.Errorf("%s line %d: %q is not a setting%s", path, n, name, didYouMean(name, names))
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("%s line %d: %s is set twice", path, n, name)
		}
		values[name] = unquote(strings.TrimSpace(value))
	}
	return values, lines.Err()
}

func didYouMean(name string, known []string) string {
	slices.Sort(known)
	if near := table.Nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// unquote takes one pair of quotes off a value; they keep blanks at its ends.
func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

func quote(value string) string {
	if value != unquote(value) || value != strings.TrimSpace(value) {
		return `"` + value + `"`
	}
	return value
}

// check refuses settings that no part of the portal could work with.
func (c *Config) check() error {
	for _, s := range []struct {
		name  string
		value int
		least int
	}{
		{"jobs", c.Jobs, 1}, {"queries", c.Queries, 1}, {"query-memory", c.QueryMemory, 64}, {"query-seconds", c.QuerySeconds, 1},
		{"ingest-memory", c.IngestMemory, 64}, {"ingest-seconds", c.IngestSeconds, 1}, {"kept-exports", c.KeptExports, 0}, {"kept-answers", c.KeptAnswers, 0}, {"max-upload", c.MaxUpload, 1},
		{"query-cost", c.QueryCost, 0}, {"anonymous-queries", c.AnonymousQueries, 0}, {"key-queries", c.KeyQueries, 0},
		{"answer-days", c.AnswerDays, 1},
	} {
		if s.value < s.least {
			return fmt.Errorf("--%s is %d, but must be at least %d", s.name, s.value, s.least)
		}
	}
	if _, err := ingest.FindOffice(c.LibreOffice); err != nil {
		return fmt.Errorf("--libreoffice is %q: %w", c.LibreOffice, err)
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen is %q, but must be host:port, such as 127.0.0.1:8080 or :8080", c.Listen)
	}
	for _, s := range []struct{ name, value, example string }{
		{"base-url", c.BaseURL, "https://data.example.org"}, {"meili-url", c.MeiliURL, "http://127.0.0.1:7700"}, {"oidc-issuer", c.OIDCIssuer, "https://id.example.org"},
	} {
		if u, err := url.Parse(s.value); s.value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("--%s is %q, but must be an address such as %s", s.name, s.value, s.example)
		}
	}
	if err := c.checkOIDC(); err != nil {
		return err
	}
	for _, s := range c.ImportNetworks {
		if _, err := netip.ParsePrefix(s); err != nil {
			return fmt.Errorf("--import-networks has %q, which is no range such as 10.1.2.0/24", s)
		}
	}
	for _, s := range c.ImportPorts {
		if s < 1 || s > 65535 {
			return fmt.Errorf("--import-ports has %d, which is no port", s)
		}
	}
	for _, s := range c.TrustedProxies {
		if _, _, err := net.ParseCIDR(s); err != nil && net.ParseIP(s) == nil {
			return fmt.Errorf("--trusted-proxies has %q, which is neither an IP address nor a range such as 10.0.0.0/8", s)
		}
	}
	return nil
}

// checkOIDC refuses half of an OpenID provider, and one whose words could be changed
// on their way.
func (c *Config) checkOIDC() error {
	switch {
	case c.OIDCIssuer == "" && (c.OIDCClientID != "" || c.OIDCClientSecret != ""):
		return fmt.Errorf("--oidc-client-id and --oidc-client-secret are for an --oidc-issuer, and there is none")
	case c.OIDCIssuer == "":
		return nil
	case c.OIDCClientID == "":
		return fmt.Errorf("--oidc-issuer needs an --oidc-client-id, by which the portal is known there")
	}
	u, err := url.Parse(c.OIDCIssuer)
	if err != nil {
		return fmt.Errorf("--oidc-issuer: %w", err)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--oidc-issuer is %q, but must begin with https:// unless it is on this machine", c.OIDCIssuer)
	}
	return nil
}

// openID is the provider by which people can sign in to a portal at base, and what
// it is called; nil where there is none.
func (c *Config) openID(base string) (*signin.Provider, string) {
	if c.OIDCIssuer == "" {
		return nil, ""
	}
	name := c.OIDCName
	if u, err := url.Parse(c.OIDCIssuer); name == "" && err == nil {
		name = u.Hostname()
	}
	return signin.New(signin.Config{Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret, RedirectURL: base + web.OpenIDCallback}), name
}

type configCommand struct{}

// Run prints every setting as a line that a settings file takes. One with a
// secret is a comment: without the secret it would be another setting.
func (configCommand) Run(_ context.Context, cfg *Config, env environment, _ *slog.Logger) error {
	v, t := reflect.ValueOf(*cfg), reflect.TypeFor[Config]()
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Tag.Get("name")
		if name == "config" {
			continue
		}
		if name == "" {
			name = flagName(field.Name)
		}
		value := fmt.Sprint(v.Field(i).Interface())
		switch list := v.Field(i).Interface().(type) {
		case []string:
			value = strings.Join(list, ",")
		case []int:
			value = strings.ReplaceAll(strings.Trim(value, "[]"), " ", ",")
		}
		shown := value
		switch field.Tag.Get("secret") {
		case "all":
			shown = hidden
		case "dsn":
			shown = redactDSN(value)
		}
		if value != "" && shown != value {
			fmt.Fprintf(env.Out, "# %s = %s\n", name, shown)
			continue
		}
		fmt.Fprintf(env.Out, "%s = %s\n", name, quote(value))
	}
	return nil
}

// hidden stands where a secret is.
const hidden = "(set, not shown)"

// flagName is kong's name for a field without one: QueryMemory is query-memory.
func flagName(field string) string {
	var b strings.Builder
	for i, r := range field {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// redactDSN hides the password of a database address; of what is no address it
// shows nothing.
func redactDSN(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") || dsn == "" {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" && u.RawQuery == "" {
		return hidden
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "password") {
			q.Set(name, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}
