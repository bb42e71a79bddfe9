#include "engine/reckon.h"

#include "trackers/json.h"

#include <math.h>
#include <string.h>
#include <talloc.h>

/* The columns of work_reckon. */
enum { RESOLVED, HALF_POWER, COUNT };

enum { HOUR = 3600 };

/* Sums over a tracker's bugs. */
struct sums {
	double bugs, load, pull;
};

static struct sums sum(const struct knobs *knobs, const struct db_rows *rows)
{
	struct sums sums = {0};
	for (unsigned i = 0; i < db_count(rows); i++) {
		double n = (double)db_integer(rows, i, COUNT);
		struct schedule_bug bug = {
			.resolved = *db_text(rows, i, RESOLVED) == 't',
			.quiet_s = HOUR * exp2((double)db_integer(rows, i, HALF_POWER) / 2),
		};
		sums.bugs += n;
		sums.load += n * schedule_load(&bug);
		sums.pull += n * schedule_pull(knobs, &bug);
	}
	return sums;
}

/* Few bugs are asked about in one request: then there is nothing to be gained by another. */
static enum schedule_mode mode_of(const struct lease *lease, unsigned batch, double bugs)
{
	bool tells = (lease->server->abilities & ABILITY_CHANGES) != 0;
	if (tells && (bugs > batch || lease->changes_interval_s > 0 || lease->has_udd))
		return SCHEDULE_CHANGES;
	return batch > 1 ? SCHEDULE_BATCH : SCHEDULE_SINGLE;
}

void reckon(struct lease *lease, unsigned batch, const struct db_rows *rows)
{
	struct schedule_rules *rules = &lease->rules;
	struct sums sums = sum(&lease->knobs, rows);
	rules->mode = mode_of(lease, batch, sums.bugs);
	lease->reckoned = true;
	lease->changes_s = schedule_changes(&lease->knobs, sums.load);
	lease->batch_s = rules->mode == SCHEDULE_CHANGES
		? schedule_sweep(rules, batch, sums.bugs)
		: schedule_batch(&lease->knobs, batch, sums.load);
	rules->stretch_s = schedule_stretch(sums.pull, batch, lease->batch_s);
}

static void read_knob(
	struct json_object *object, const char *name, long least, long most, long *knob)
{
	struct json_object *member = json_member(object, name, json_type_int);
	int64_t value = json_object_get_int64(member);
	if (member != NULL && value >= least && value <= most)
		*knob = (long)value;
}

void reckon_own_knobs(struct knobs *knobs, enum schedule_policy *policy, const char *schedule)
{
	struct json_reader *reader = json_reader_new(NULL);
	json_reader_feed(reader, schedule, strlen(schedule));
	struct json_object *object = json_reader_end(reader, NULL);
	if (json_object_is_type(object, json_type_object)) {
		struct json_object *word = json_member(object, "policy", json_type_string);
		enum schedule_policy own;
		if (word != NULL && schedule_policy_of_word(json_object_get_string(word), &own))
			*policy = own;
#define KNOB(name, unit, initial, least, most, help)                                               \
	read_knob(object, #name, least, most, &knobs->name);
#include "engine/knobs.def"
#undef KNOB
	}
	talloc_free(reader);
}
