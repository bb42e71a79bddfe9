/* A farm of bug trackers on this machine, for tests, demonstrations and measurements; see README.md. */
#include "tests/farm/fault.h"
#include "tests/farm/site.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { MOST_SITES = 1000, MOST_BUGS = 10000000 };

struct farm {
	struct event_base *base;
	const char *address;
	int port;
	bool one_origin;
	struct site *sites[MOST_SITES];
	unsigned site_count;
	const char *faults[MOST_SITES]; /* NAME=KIND, until every tracker is known */
	unsigned fault_count;
	uint64_t seed;
	double tempo;
	unsigned latency_ms, private_bugs;
};

static const struct speech *const speeches[] = {&bugzilla_speech, &bugzilla_rpc_speech,
	&roundup_speech, &roundup_python_speech, &trac_speech, &trac_xml_speech, &trac_plain_speech,
	&debbugs_speech};

static const char help[] =
	"usage: farm --tracker KIND:NAME:BUGS... [OPTIONS]\n\n"
	"Serves made-up bug trackers and says where, a line of JSON each, then \"ready\".\n\n"
	"  --tracker KIND:NAME:BUGS  KIND: bugzilla, roundup, roundup-python, trac, trac-plain,\n"
	"                            debbugs; bugs 1 to BUGS\n"
	"  --listen ADDRESS:PORT     127.0.0.1:0; port 0: a free port for each tracker, else\n"
	"                            PORT for the first and one more for each that follows\n"
	"  --one-origin              all trackers at one port, below /NAME/\n"
	"  --seed N                  other bugs (1)\n"
	"  --tempo SECONDS           mean time between changes in each tracker (0: none)\n"
	"  --latency MS              wait before each answer\n"
	"  --private N               the N highest bugs of each tracker need a login\n"
	"  --fault NAME=FAULT        the tracker NAME has a fault from the start\n\n"
	"faults: ";

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("farm: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	exit(2);
}

static double number(const char *option, const char *text, double most)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end != '\0' || !(value >= 0 && value <= most))
		die("--%s: \"%s\" is no number from 0 to %.0f", option, text, most);
	return value;
}

static const struct speech *speech_of_word(const char *word)
{
	for (unsigned i = 0; i < sizeof(speeches) / sizeof(speeches[0]); i++)
		if (strcmp(speeches[i]->word, word) == 0)
			return speeches[i];
	die("there is no kind of tracker \"%s\"", word);
}

static void add_site(struct farm *farm, const char *words)
{
	char *rest = talloc_strdup(farm, words);
	const char *kind = strsep(&rest, ":"), *name = strsep(&rest, ":");
	if (name == NULL || *name == '\0' || rest == NULL)
		die("--tracker: \"%s\" is not KIND:NAME:BUGS", words);
	if (farm->site_count == MOST_SITES)
		die("more than %d trackers", MOST_SITES);
	farm->sites[farm->site_count++] = site_new(farm, farm->base, speech_of_word(kind), name,
		(unsigned)number("tracker", rest, MOST_BUGS));
}

static void set_listen(struct farm *farm, const char *words)
{
	const char *colon = strrchr(words, ':');
	if (colon == NULL)
		die("--listen: \"%s\" is not ADDRESS:PORT", words);
	farm->address = talloc_strndup(farm, words, (size_t)(colon - words));
	farm->port = (int)number("listen", colon + 1, 65535);
}

static void add_fault(struct farm *farm, const char *words)
{
	if (farm->fault_count == MOST_SITES)
		die("more than %d faults", MOST_SITES);
	farm->faults[farm->fault_count++] = words;
}

static void read_options(struct farm *farm, int argc, char **argv)
{
	static const struct option options[] = {{"tracker", required_argument, NULL, 't'},
		{"listen", required_argument, NULL, 'l'}, {"one-origin", no_argument, NULL, 'o'},
		{"seed", required_argument, NULL, 's'}, {"tempo", required_argument, NULL, 'm'},
		{"latency", required_argument, NULL, 'y'},
		{"private", required_argument, NULL, 'p'}, {"fault", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int code;
	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (code) {
		case 't':
			add_site(farm, optarg);
			break;
		case 'l':
			set_listen(farm, optarg);
			break;
		case 'o':
			farm->one_origin = true;
			break;
		case 's':
			farm->seed = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			farm->tempo = number("tempo", optarg, 1e9);
			break;
		case 'y':
			farm->latency_ms = (unsigned)number("latency", optarg, 1e6);
			break;
		case 'p':
			farm->private_bugs = (unsigned)number("private", optarg, MOST_BUGS);
			break;
		case 'f':
			add_fault(farm, optarg);
			break;
		case 'h':
			printf("%s%s\n", help, fault_words(farm));
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind < argc || farm->site_count == 0)
		die("see farm --help");
}

/* What the options say of all trackers, whatever their order. */
static void settle(struct farm *farm)
{
	for (unsigned i = 0; i < farm->site_count; i++) {
		struct site *site = farm->sites[i];
		site->life.seed = life_seed(farm->seed, site->name);
		site->life.tempo = farm->tempo;
		site->latency_ms = farm->latency_ms;
		if (site->speech->signs_in != NULL)
			site->private_bugs = farm->private_bugs < site->life.bugs
				? farm->private_bugs
				: site->life.bugs;
		site->prefix = farm->one_origin ? talloc_asprintf(site, "/%s/", site->name) : "/";
	}
}

static struct site *find_site(struct farm *farm, const char *name, size_t n)
{
	for (unsigned i = 0; i < farm->site_count; i++)
		if (strncmp(farm->sites[i]->name, name, n) == 0 && farm->sites[i]->name[n] == '\0')
			return farm->sites[i];
	return NULL;
}

static void set_faults(struct farm *farm)
{
	for (unsigned i = 0; i < farm->fault_count; i++) {
		const char *words = farm->faults[i], *equals = strchrnul(words, '=');
		struct site *site = find_site(farm, words, (size_t)(equals - words));
		if (site == NULL || *equals == '\0' || fault_of_word(equals + 1) == NULL)
			die("--fault: \"%s\" is not NAME=FAULT; faults: %s", words,
				fault_words(farm));
		site->fault = fault_of_word(equals + 1);
	}
}

static void on_request(struct evhttp_request *request, void *cookie)
{
	site_serve(cookie, request);
}

/* Where there is one door for all, the first part of the path is the tracker's name. */
static void on_shared_request(struct evhttp_request *request, void *cookie)
{
	struct farm *farm = cookie;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	size_t n = path != NULL && *path == '/' ? strcspn(path + 1, "/") : 0;
	struct site *site = n > 0 && path[1 + n] == '/' ? find_site(farm, path + 1, n) : NULL;
	if (site != NULL)
		site_serve(site, request);
	else
		evhttp_send_error(request, 404, NULL);
}

/* A server at the next port; *PORT is where. */
static struct evhttp *open_door(struct farm *farm, int *port)
{
	struct evhttp *door = evhttp_new(farm->base);
	struct evhttp_bound_socket *bound =
		evhttp_bind_socket_with_handle(door, farm->address, (uint16_t)farm->port);
	if (bound == NULL)
		die("%s:%d can't be listened at: %s", farm->address, farm->port, strerror(errno));
	if (farm->port != 0)
		farm->port++;
	/* Accepted sockets inherit it; without, the end of an answer waits 40 ms for a late ACK. */
	evutil_socket_t fd = evhttp_bound_socket_get_fd(bound);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	getsockname(fd, (struct sockaddr *)&address, &size);
	*port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						    : ((struct sockaddr_in *)&address)->sin_port);
	evhttp_set_timeout(door, 600);
	return door;
}

static void open_doors(struct farm *farm, struct evhttp **doors)
{
	int port = 0;
	bool six = strchr(farm->address, ':') != NULL;
	if (farm->one_origin) {
		doors[0] = open_door(farm, &port);
		evhttp_set_gencb(doors[0], on_shared_request, farm);
	}
	for (unsigned i = 0; i < farm->site_count; i++) {
		struct site *site = farm->sites[i];
		if (!farm->one_origin) {
			doors[i] = open_door(farm, &port);
			evhttp_set_gencb(doors[i], on_request, site);
		}
		site->base_url = talloc_asprintf(site, "http://%s%s%s:%d%s", six ? "[" : "",
			farm->address, six ? "]" : "", port, site->prefix);
		printf("{\"name\":\"%s\",\"kind\":\"%s\",\"type\":\"%s\",\"base_url\":\"%s\","
		       "\"bug_url\":\"%s%s\",\"bugs\":%u,\"private\":%u}\n",
			site->name, site->speech->word, site->speech->type, site->base_url,
			site->base_url, site->speech->bug_url, site->life.bugs, site->private_bugs);
	}
	puts("ready");
	fflush(stdout);
}

static void on_signal(evutil_socket_t number, short what, void *cookie)
{
	event_base_loopbreak(cookie);
}

/* Serves until a signal says that it is enough. */
static void serve(struct farm *farm)
{
	struct evhttp *doors[MOST_SITES] = {NULL};
	struct event *term = evsignal_new(farm->base, SIGTERM, on_signal, farm->base);
	struct event *interrupt = evsignal_new(farm->base, SIGINT, on_signal, farm->base);
	signal(SIGPIPE, SIG_IGN);
	event_add(term, NULL);
	event_add(interrupt, NULL);
	open_doors(farm, doors);
	event_base_dispatch(farm->base);
	for (unsigned i = 0; i < MOST_SITES && doors[i] != NULL; i++)
		evhttp_free(doors[i]);
	event_free(term);
	event_free(interrupt);
}

int main(int argc, char **argv)
{
	struct farm *farm = talloc_zero(NULL, struct farm);
	farm->base = event_base_new();
	farm->address = "127.0.0.1";
	farm->seed = 1;
	read_options(farm, argc, argv);
	settle(farm);
	set_faults(farm);
	serve(farm);
	struct event_base *base = farm->base;
	talloc_free(farm);
	event_base_free(base);
	return 0;
}
