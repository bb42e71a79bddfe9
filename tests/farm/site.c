#include "tests/farm/site.h"

#include "tests/farm/control.h"
#include "tests/farm/delivery.h"
#include "tests/farm/fault.h"

#include <string.h>
#include <talloc.h>
#include <time.h>

struct site *site_new(const void *owner, struct event_base *base, const struct speech *speech,
	const char *name, unsigned bugs)
{
	struct site *site = talloc_zero(owner, struct site);
	site->speech = speech;
	site->name = talloc_strdup(site, name);
	site->base = base;
	site->life = (struct life){.plot = &speech->plot, .bugs = bugs, .began = site_now(site)};
	site->hands = talloc_zero_array(site, struct hand *, bugs + 1);
	site->fault_times = -1;
	return site;
}

double site_now(const struct site *site)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9 + site->skew_s;
}

struct hand *site_hand(struct site *site, unsigned id)
{
	if (site->hands[id] == NULL) {
		site->hands[id] = talloc_zero(site, struct hand);
		site->hands[id]->id = id;
		if (id > site->life.bugs - site->private_bugs)
			site->hands[id]->presence = BUG_PRIVATE;
	}
	site->hands[id]->at = site_now(site);
	return site->hands[id];
}

/* Puts what HAND has set over what life had. */
static void lay_on(struct bug *bug, const struct hand *hand)
{
	if (hand->status != NULL)
		bug->status = hand->status;
	if (hand->resolution != NULL)
		bug->resolution = hand->resolution;
	if (hand->severity != NULL)
		bug->severity = hand->severity;
	if (hand->priority != NULL)
		bug->priority = hand->priority;
	if (hand->product != NULL)
		bug->product = hand->product;
	if (hand->title != NULL)
		bug->title = hand->title;
	bug->comments += hand->said_count;
	if (hand->at > bug->changed)
		bug->changed = hand->at;
}

enum presence site_bug(
	const struct site *site, const struct question *question, unsigned id, struct bug *bug)
{
	if (id == 0 || id > site->life.bugs)
		return BUG_MISSING;
	const struct hand *hand = site->hands[id];
	enum presence presence = BUG_THERE;
	if (hand != NULL)
		presence = hand->presence;
	else if (id > site->life.bugs - site->private_bugs)
		presence = BUG_PRIVATE;
	if (presence == BUG_PRIVATE && question->signed_in)
		presence = BUG_THERE;
	if (presence == BUG_MISSING || presence == BUG_PRIVATE)
		return presence;
	life_at(&site->life, id, question->now, bug);
	if (hand != NULL)
		lay_on(bug, hand);
	return presence;
}

void site_say(struct site *site, struct hand *hand, const char *author, const char *text)
{
	struct bug bug;
	life_at(&site->life, hand->id, hand->at, &bug);
	hand->said = talloc_realloc(hand, hand->said, struct said, hand->said_count + 1);
	hand->said[hand->said_count++] = (struct said){.author = talloc_strdup(hand, author),
		.text = talloc_strdup(hand, text),
		.at = hand->at,
		.after = bug.comments};
}

/* Numbers stay what they are whatever is said later: a comment by hand has a place of its own. */
void site_comment(const struct site *site, unsigned id, unsigned number, struct remark *comment)
{
	const struct hand *hand = site->hands[id];
	unsigned before = 0;
	while (hand != NULL && before < hand->said_count &&
		hand->said[before].after + before < number)
		before++;
	if (hand != NULL && before < hand->said_count &&
		hand->said[before].after + before == number) {
		const struct said *said = &hand->said[before];
		*comment =
			(struct remark){.author = said->author, .text = said->text, .at = said->at};
	} else {
		life_comment(&site->life, id, number - before, comment);
	}
}

enum badness site_badness(const struct site *site, unsigned id)
{
	const struct hand *hand = site->hands[id];
	if (hand != NULL && hand->badness != BAD_NOT)
		return hand->badness;
	return fault_has_bad_bugs(site) && id % 100 == 7 ? BAD_TYPES : BAD_NOT;
}

/* The question's path with its numbers as ID: "rest/data/issue/ID", and what it calls. */
static char *path_kind(const void *owner, const struct question *question)
{
	const char *path = question->path;
	char *kind = talloc_strdup(owner, "");
	while (*path != '\0') {
		size_t digits = strspn(path, "0123456789");
		if (digits > 0)
			kind = talloc_strdup_append_buffer(kind, "ID");
		path += digits;
		size_t others = strcspn(path, "0123456789");
		kind = talloc_strndup_append_buffer(kind, path, others);
		path += others;
	}
	if (question->call != NULL)
		kind = talloc_asprintf_append_buffer(kind, " %s", question->call);
	return kind;
}

static void count_path(struct site *site, const struct question *question)
{
	char *kind = path_kind(site, question);
	unsigned i = 0;
	while (i < PATHS - 1 && site->tally.paths[i].name != NULL &&
		strcmp(site->tally.paths[i].name, kind) != 0)
		i++;
	site->tally.paths[i].count++;
	if (site->tally.paths[i].name == NULL)
		site->tally.paths[i].name = kind;
	else
		talloc_free(kind);
}

/* Keeps VALUE (NULL: nothing) in place of what was kept at PLACE. */
static void keep(struct site *site, char **place, const char *value)
{
	talloc_free(*place);
	*place = talloc_strdup(site, value != NULL ? value : "");
}

/* Keeps what QUESTION asked for at PLACE. */
static void keep_question(struct site *site, char **place, const struct question *question)
{
	const char *call = question->call;
	keep(site, place, evhttp_request_get_uri(question->request));
	if (call != NULL)
		*place = talloc_asprintf_append_buffer(*place, " %s", call);
}

static void count(struct site *site, const struct question *question)
{
	struct tally *tally = &site->tally;
	tally->starts[tally->requests % LATEST] = question->now;
	keep_question(site, &tally->uris[tally->requests++ % LATEST], question);
	if (++tally->under_way > tally->most_under_way)
		tally->most_under_way = tally->under_way;
	count_path(site, question);
	keep(site, &tally->last_user_agent, question_header(question, "User-Agent"));
	keep(site, &tally->last_authorization, question_header(question, "Authorization"));
	keep(site, &tally->last_origin, question_header(question, "Origin"));
}

static void answer_question(struct site *site, struct question *question)
{
	struct answer answer = {.status = 200,
		.content_type = "application/json; charset=UTF-8",
		.body = evbuffer_new(),
		.total = -1};
	if (strcmp(question->path, "_control") == 0) {
		control_answer(site, question, &answer);
		deliver_now(site, question, &answer);
	} else {
		question->signed_in = site->credentials != NULL && site->speech->signs_in != NULL &&
			site->speech->signs_in(question, site->credentials);
		site->speech->speak(site, question, &answer);
		count(site, question);
		fault_spoil(site, question, &answer);
		deliver(site, question, &answer);
	}
	evbuffer_free(answer.body);
}

void site_serve(struct site *site, struct evhttp_request *request)
{
	struct question *question = question_new(site, request, site->prefix, site_now(site));
	if (question == NULL) {
		evhttp_send_error(request, 400, NULL);
		return;
	}
	answer_question(site, question);
	talloc_free(question);
}
