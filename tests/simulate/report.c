#include "tests/simulate/report.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>

enum { SCALE = 13000, HOUR = 3600 };

/* Hours; NAN where nothing was late. */
struct summary {
	double mean, median, p95;
};

struct row {
	const char *tracker;
	enum schedule_mode mode;
	enum schedule_policy policy;
	double watches, requests, fetches, checks; /* requests scaled, checks a watch */
	struct summary status, comments;
};

struct report {
	struct row *rows;
	unsigned count;
};

struct report *report_new(const void *owner)
{
	return talloc_zero(owner, struct report);
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;
	return (one > other) - (one < other);
}

static double quantile(const struct delays *delays, double part)
{
	size_t place = (size_t)ceil(part * (double)delays->count);
	return delays->late[place > 0 ? place - 1 : 0] / HOUR;
}

static struct summary summarise(struct delays *delays)
{
	double sum = 0;
	if (delays->count == 0)
		return (struct summary){NAN, NAN, NAN};
	qsort(delays->late, delays->count, sizeof(double), by_size);
	for (size_t i = 0; i < delays->count; i++)
		sum += delays->late[i];
	return (struct summary){
		.mean = sum / (double)delays->count / HOUR,
		.median = quantile(delays, 0.5),
		.p95 = quantile(delays, 0.95),
	};
}

void report_add(struct report *report, const char *tracker, const struct plan *plan,
	struct outcome *outcome)
{
	double scale = outcome->watches > 0 ? SCALE / outcome->watches : 0;
	report->rows = talloc_realloc(report, report->rows, struct row, report->count + 1);
	report->rows[report->count++] = (struct row){
		.tracker = tracker,
		.mode = plan->mode,
		.policy = plan->policy,
		.watches = outcome->watches,
		.requests = outcome->questions + outcome->requests * scale,
		.fetches = outcome->fetches * scale,
		.checks = outcome->checks * scale / SCALE,
		.status = summarise(&outcome->status),
		.comments = summarise(&outcome->comments),
	};
}

/* ---- JSON ---- */

static void add_number(struct json_object *to, const char *name, double value)
{
	char text[32];
	snprintf(text, sizeof(text), "%.4f", value);
	json_object_object_add(
		to, name, isfinite(value) ? json_object_new_double_s(value, text) : NULL);
}

static struct json_object *summary_object(const struct summary *summary)
{
	struct json_object *object = json_object_new_object();
	add_number(object, "mean_h", summary->mean);
	add_number(object, "median_h", summary->median);
	add_number(object, "p95_h", summary->p95);
	return object;
}

static struct json_object *row_object(const struct row *row)
{
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "tracker", json_object_new_string(row->tracker));
	json_object_object_add(
		object, "mode", json_object_new_string(schedule_mode_word(row->mode)));
	json_object_object_add(
		object, "policy", json_object_new_string(schedule_policy_word(row->policy)));
	add_number(object, "watches", row->watches);
	add_number(object, "requests_per_day", row->requests);
	add_number(object, "fetches_per_day", row->fetches);
	add_number(object, "checks_per_watch_day", row->checks);
	json_object_object_add(object, "status", summary_object(&row->status));
	json_object_object_add(object, "comments", summary_object(&row->comments));
	return object;
}

static void write_json(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	for (unsigned i = 0; i < report->count; i++)
		json_object_array_add(array, row_object(&report->rows[i]));
	puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY));
	json_object_put(array);
}

/* ---- the table ---- */

static void write_summary(const struct summary *summary)
{
	if (isnan(summary->mean))
		printf("  %22s", "none");
	else
		printf("  %6.2f / %5.2f / %5.1f", summary->mean, summary->median, summary->p95);
}

static void write_table(const struct report *report)
{
	printf("%-18s %-8s %-7s %8s %13s %13s %12s  %22s  %22s\n", "tracker", "mode", "policy",
		"watches", "requests/day", "fetches/day", "checks/watch", "status, h late",
		"comments, h late");
	for (unsigned i = 0; i < report->count; i++) {
		const struct row *row = &report->rows[i];
		printf("%-18s %-8s %-7s %8.0f %13.1f %13.1f %12.3f", row->tracker,
			schedule_mode_word(row->mode), schedule_policy_word(row->policy),
			row->watches, row->requests, row->fetches, row->checks);
		write_summary(&row->status);
		write_summary(&row->comments);
		putchar('\n');
	}
	puts("\nrequests a day for 13,000 watches; fetches are of bugs that were said to have "
	     "changed;\n"
	     "checks a watch and day; hours from a change until it is seen: mean / median / 95th\n"
	     "percentile.");
}

void report_write(const struct report *report, bool json)
{
	if (json)
		write_json(report);
	else
		write_table(report);
}
