/* One tracker of the farm: its bugs, what tests did to it, and what it was asked. */
#ifndef TESTS_FARM_SITE_H
#define TESTS_FARM_SITE_H

#include "tests/farm/life.h"
#include "tests/farm/question.h"

#include <event2/event.h>
#include <stdbool.h>

struct fault;
struct site;

/* A kind of tracker: its word on the command line, its protocol, its words. */
struct speech {
	const char *word; /* "roundup-python" */
	const char *type; /* bugwatch's word for it: "roundup" */
	void (*speak)(const struct site *site, struct question *question, struct answer *answer);
	/*
	 * Whether the question signs in with CREDENTIALS: an API key, or NAME:PASSWORD. NULL for a kind
	 * that knows no logins: there nothing is private.
	 */
	bool (*signs_in)(const struct question *question, const char *credentials);
	const char *
		nothing; /* its answer of no bugs at all; NULL where such an answer means nothing */
	const char *home; /* where below its host such a tracker has to live; NULL: anywhere */
	const char *bug_url; /* a bug's page, below the base URL and before its number */
	unsigned first_comment; /* what comes before (the description: 0) is none */
	struct plot plot;
};

extern const struct speech bugzilla_speech, bugzilla_rpc_speech, roundup_speech,
	roundup_python_speech, trac_speech, trac_xml_speech, trac_plain_speech, debbugs_speech,
	github_speech;

enum presence { BUG_THERE, BUG_MISSING, BUG_PRIVATE, BUG_RETIRED };

/* How a bug is written wrong: with values of wrong types, so that no parser takes it, or its comments. */
enum badness { BAD_NOT, BAD_TYPES, BAD_SYNTAX, BAD_COMMENTS, BAD_LOG };

/* A comment made by hand, which life's later comments come after. */
struct said {
	const char *author, *text;
	double at;
	unsigned after; /* so many comments of life */
};

/* What was set by hand; a text that is NULL goes on as life has it. */
struct hand {
	unsigned id; /* of the bug */
	const char *status, *resolution, *severity, *priority, *title, *product;
	enum presence presence;
	enum badness badness;
	struct said *said; /* in the order they were made */
	unsigned said_count;
	double at; /* when, by the tracker's clock */
};

enum { LATEST = 256, PATHS = 16 };

/* What the tracker was asked, since it began or `reset`. */
struct tally {
	unsigned long requests;
	unsigned under_way, most_under_way;
	struct {
		char *name;
		unsigned long count;
	} paths[PATHS]; /* "rest/bug/ID"; what comes after the last is not told apart */
	double starts[LATEST]; /* when the latest questions came; a ring */
	char *uris[LATEST]; /* and what they asked for: "/login/rpc ticket.get" */
	char *last_user_agent, *last_authorization, *last_origin;
};

struct site {
	const struct speech *speech;
	const char *name;
	const char *prefix; /* of its paths: "/" or "/NAME/" */
	const char *base_url; /* ends in '/' */
	struct event_base *base;
	struct life life;
	unsigned private_bugs; /* that many of the highest ids need a login */
	struct hand **hands; /* by id; NULL where nothing was set */
	unsigned latency_ms;
	double skew_s; /* its clock less ours */
	const char *credentials; /* what signs in, NULL where nothing does */
	bool login_required; /* strangers are let in nowhere */
	const struct fault *fault; /* NULL for none */
	long fault_times; /* how many more answers it spoils; -1: all */
	const char *fault_only; /* spoils only paths that begin so; NULL: all */
	const char *fault_to; /* where redirects lead */
	struct tally tally;
};

/* A still tracker without a door yet; owned by OWNER. */
struct site *site_new(const void *owner, struct event_base *base, const struct speech *speech,
	const char *name, unsigned bugs);

/* The tracker's clock, seconds since 1970. */
double site_now(const struct site *site);

/* What bug ID is like for whoever asks QUESTION. BUG is filled in where the bug is there, or retired. */
enum presence site_bug(
	const struct site *site, const struct question *question, unsigned id, struct bug *bug);

/* How bug ID is to be written. */
enum badness site_badness(const struct site *site, unsigned id);

/* What was set by hand for bug ID (1 to life.bugs), made if need be; it counts as a change now. */
struct hand *site_hand(struct site *site, unsigned id);

/* Adds a comment to HAND's bug, at its moment. The texts are copied. */
void site_say(struct site *site, struct hand *hand, const char *author, const char *text);

/* Tells what comment NUMBER of bug ID is like; the bug has it, as site_bug tells. */
void site_comment(const struct site *site, unsigned id, unsigned number, struct remark *comment);

/* Answers REQUEST, now or later. */
void site_serve(struct site *site, struct evhttp_request *request);

#endif
