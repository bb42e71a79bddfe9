#include "engine/db_target.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { HOSTS_MAX = 16, ADDRESSES_MAX = 64, TIMEOUT_DEFAULT_S = 10 };

/* One place to connect to; "" where something was not given. */
struct place {
	const char *host, *address, *port;
};

struct db_target {
	PQconninfoOption *options;
	struct place places[HOSTS_MAX];
	unsigned count; /* 0 where the string names no host: libpq knows */
	unsigned timeout_s;
	bool foreign;
	const struct network_policy *policy; /* of a foreign one */
};

struct asked {
	struct db_lookup *lookup;
	unsigned host;
	struct resolver_query *query; /* NULL when it has answered */
};

struct db_lookup {
	const struct db_target *target;
	void (*done)(void *cookie);
	void *cookie;
	struct asked asked[HOSTS_MAX];
	unsigned asked_count, pending;
	struct place places[ADDRESSES_MAX];
	unsigned count;
	struct err err; /* the first name's that has no address */
};

/* What the string for a foreign server may say. */
static const char *const foreign_keywords[] = {"host", "hostaddr", "port", "dbname", "user",
	"password", "sslmode", "connect_timeout", "application_name", NULL};

/*
 * What holds unless the string says otherwise. A dead peer is noticed within 20 s, idle or not.
 * GSS encryption would ask Kerberos servers, and wait for them, inside of libpq.
 */
static const char *default_value(const struct db_target *target, const char *keyword)
{
	static const char *const foreign[][2] = {
		{"password", ""}, /* else libpq would take PGPASSWORD, which is for our own */
		{"target_session_attrs", "any"},
	};
	static const char *const defaults[][2] = {
		{"connect_timeout", "10"},
		{"fallback_application_name", "bugwatch"},
		{"gssencmode", "disable"},
		{"keepalives_count", "3"},
		{"keepalives_idle", "10"},
		{"keepalives_interval", "3"},
		{"target_session_attrs", "read-write"},
		{"tcp_user_timeout", "15000"},
	};
	for (size_t i = 0; target->foreign && i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strcmp(foreign[i][0], keyword) == 0)
			return foreign[i][1];
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (strcmp(defaults[i][0], keyword) == 0)
			return defaults[i][1];
	return NULL;
}

static const char *option(const struct db_target *target, const char *keyword)
{
	for (const PQconninfoOption *o = target->options; o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
			return o->val;
	return "";
}

static unsigned elements(const char *list)
{
	unsigned n = *list != '\0';
	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* The element N of a list with commas; "" where it has no such. */
static const char *element(const void *owner, const char *list, unsigned n)
{
	for (; n > 0 && list != NULL; n--) {
		list = strchr(list, ',');
		list = list == NULL ? NULL : list + 1;
	}
	return list == NULL ? "" : talloc_strndup(owner, list, strcspn(list, ","));
}

/* The same rules as libpq's: as many addresses as names, and as many ports or one for all. */
static bool split_hosts(struct db_target *target, struct err *err)
{
	const char *hosts = option(target, "host"), *addresses = option(target, "hostaddr");
	const char *ports = option(target, "port");
	unsigned n = elements(hosts), with_address = elements(addresses),
		 with_port = elements(ports);
	if (n == 0)
		n = with_address;
	if ((with_address != 0 && with_address != n) || n > HOSTS_MAX ||
		(with_port > 1 && with_port != n)) {
		err_set(err, ERR_USAGE,
			"the database's connection string has %u hosts, %u addresses and %u "
			"ports: give as many of each (at most %d)",
			elements(hosts), with_address, with_port, HOSTS_MAX);
		return false;
	}
	for (unsigned i = 0; i < n; i++)
		target->places[i] = (struct place){
			.host = element(target, hosts, i),
			.address = element(target, addresses, i),
			.port = element(target, ports, with_port > 1 ? i : 0),
		};
	target->count = n;
	return true;
}

static int target_free(struct db_target *target)
{
	PQconninfoFree(target->options);
	return 0;
}

struct db_target *db_target_new(const void *owner, const char *conninfo, struct err *err)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &why);
	if (options == NULL) {
		/* libpq's words quote the string, which may hold a password. */
		bool secret = strchr(conninfo, '@') != NULL || strstr(conninfo, "pass") != NULL;
		err_set(err, ERR_USAGE,
			"the database's connection string can't be understood (postgresql://… or "
			"KEY=VALUE …): %.*s",
			why == NULL || secret ? 0 : (int)strcspn(why, "\n"),
			why != NULL ? why : "");
		PQfreemem(why);
		return NULL;
	}
	struct db_target *target = talloc_zero(owner, struct db_target);
	target->options = options;
	talloc_set_destructor(target, target_free);
	if (!split_hosts(target, err)) {
		talloc_free(target);
		return NULL;
	}
	long timeout_s = strtol(option(target, "connect_timeout"), NULL, 10);
	target->timeout_s =
		timeout_s > 0 && timeout_s < 3600 ? (unsigned)timeout_s : TIMEOUT_DEFAULT_S;
	return target;
}

static bool may_be_said(const char *keyword)
{
	for (const char *const *known = foreign_keywords; *known != NULL; known++)
		if (strcmp(*known, keyword) == 0)
			return true;
	return false;
}

struct db_target *db_target_new_foreign(const void *owner, const char *conninfo,
	const struct network_policy *policy, struct err *err)
{
	struct db_target *target = db_target_new(owner, conninfo, err);
	if (target == NULL)
		return NULL;
	target->foreign = true;
	target->policy = policy;
	const char *refused = NULL;
	for (const PQconninfoOption *o = target->options; o->keyword != NULL; o++)
		if (o->val != NULL && !may_be_said(o->keyword))
			refused = o->keyword;
	if (refused != NULL)
		err_set(err, ERR_USAGE, "a connection string for UDD must not set %s", refused);
	else if (target->count == 0)
		err_set(err, ERR_USAGE, "a connection string for UDD must name a host");
	else
		return target;
	talloc_free(target);
	return NULL;
}

unsigned db_target_timeout_s(const struct db_target *target)
{
	return target->timeout_s;
}

/* TEXT, or LIST "," TEXT; a list's elements may be empty. */
static char *append(const void *owner, char *list, const char *text)
{
	return list == NULL ? talloc_strdup(owner, text)
			    : talloc_asprintf_append(list, ",%s", text);
}

static struct db_parameters parameters(const void *owner, const struct db_target *target,
	const struct place *places, unsigned count, unsigned first)
{
	char *host = NULL, *address = NULL, *port = NULL;
	unsigned options = 0;
	while (target->options[options].keyword != NULL)
		options++;
	struct db_parameters out = {
		.keywords = talloc_zero_array(owner, const char *, options + 1),
		.values = talloc_zero_array(owner, const char *, options + 1),
	};
	for (unsigned i = 0; i < count; i++) {
		const struct place *place = &places[(first + i) % count];
		host = append(out.values, host, place->host);
		address = append(out.values, address, place->address);
		port = append(out.values, port, place->port);
	}
	unsigned n = 0;
	for (const PQconninfoOption *o = target->options; o->keyword != NULL; o++) {
		const char *value = o->val != NULL ? o->val : default_value(target, o->keyword);
		if (count > 0 && strcmp(o->keyword, "host") == 0)
			value = host;
		else if (count > 0 && strcmp(o->keyword, "hostaddr") == 0)
			value = address;
		else if (count > 0 && strcmp(o->keyword, "port") == 0)
			value = port;
		if (value != NULL) {
			out.keywords[n] = o->keyword;
			out.values[n++] = value;
		}
	}
	return out;
}

struct db_parameters db_target_parameters(const void *owner, const struct db_target *target)
{
	return parameters(owner, target, target->places, target->count, 0);
}

/* Whether libpq would ask a name server for it. A socket is a path, or in Linux' abstract space. */
static bool is_name(const struct place *place)
{
	struct in_addr ignored;
	return *place->address == '\0' && *place->host != '\0' && *place->host != '/' &&
		*place->host != '@' && strchr(place->host, ':') == NULL &&
		inet_pton(AF_INET, place->host, &ignored) != 1;
}

static bool allows(struct db_lookup *lookup, const char *host, const struct sockaddr *address)
{
	const struct network_policy *policy = lookup->target->policy;
	bool allowed = policy == NULL || (address != NULL && network_allows(policy, address));
	if (!allowed)
		err_set(&lookup->err, ERR_BLOCKED_ADDRESS,
			"%s is at an address that this service may not connect to; its "
			"administrator can allow it (allow-networks)",
			host);
	return allowed;
}

/* A place that needs no name server: an address, or a socket of this machine. */
static bool allows_place(struct db_lookup *lookup, const struct place *place)
{
	const char *text = *place->address != '\0' ? place->address : place->host;
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (*text == '/' || *text == '@' || *text == '\0')
		text = "127.0.0.1";
	if (getaddrinfo(text, NULL, &hints, &found) != 0)
		found = NULL;
	bool allowed = allows(lookup, text, found != NULL ? found->ai_addr : NULL);
	if (found != NULL)
		freeaddrinfo(found);
	return allowed;
}

static void add_address(
	struct db_lookup *lookup, const struct place *place, const struct sockaddr_storage *address)
{
	char text[NI_MAXHOST];
	if (!allows(lookup, place->host, (const struct sockaddr *)address))
		return;
	if (lookup->count == ADDRESSES_MAX ||
		getnameinfo((const struct sockaddr *)address, sizeof(*address), text, sizeof(text),
			NULL, 0, NI_NUMERICHOST) != 0)
		return;
	struct place *found = &lookup->places[lookup->count++];
	*found = *place;
	found->address = talloc_strdup(lookup, text);
}

static void heard(void *cookie, const struct err *err, const struct sockaddr_storage *addresses,
	unsigned count)
{
	struct asked *asked = cookie;
	struct db_lookup *lookup = asked->lookup;
	asked->query = NULL;
	for (unsigned i = 0; i < count; i++)
		add_address(lookup, &lookup->target->places[asked->host], &addresses[i]);
	if (count == 0 && err != NULL)
		err_set(&lookup->err, err->kind, "%s", err->text);
	if (--lookup->pending == 0)
		lookup->done(lookup->cookie);
}

static int lookup_free(struct db_lookup *lookup)
{
	for (unsigned i = 0; i < lookup->asked_count; i++)
		if (lookup->asked[i].query != NULL)
			resolver_cancel(lookup->asked[i].query);
	return 0;
}

struct db_lookup *db_lookup_new(const void *owner, const struct db_target *target,
	struct resolver *resolver, void (*done)(void *cookie), void *cookie)
{
	struct db_lookup *lookup = talloc_zero(owner, struct db_lookup);
	lookup->target = target;
	lookup->done = done;
	lookup->cookie = cookie;
	talloc_set_destructor(lookup, lookup_free);
	for (unsigned i = 0; i < target->count; i++) {
		const struct place *place = &target->places[i];
		if (!is_name(place)) {
			if (allows_place(lookup, place))
				lookup->places[lookup->count++] = *place;
			continue;
		}
		struct asked *asked = &lookup->asked[lookup->asked_count++];
		*asked = (struct asked){.lookup = lookup, .host = i};
		lookup->pending++;
		asked->query = resolver_ask(resolver, place->host, heard, asked);
	}
	return lookup;
}

bool db_lookup_over(const struct db_lookup *lookup)
{
	return lookup->pending == 0;
}

bool db_lookup_parameters(
	struct db_lookup *lookup, unsigned first, struct db_parameters *out, struct err *err)
{
	if (lookup->target->count > 0 && lookup->count == 0) {
		bool told = lookup->err.kind != ERR_NONE;
		err_set(err, told && lookup->target->foreign ? lookup->err.kind : ERR_DATABASE_GONE,
			"the database's host: %s", told ? lookup->err.text : "it has no address");
		return false;
	}
	*out = parameters(lookup, lookup->target, lookup->places, lookup->count, first);
	return true;
}
