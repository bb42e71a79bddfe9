#include "ui-api/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static void add_url(struct url_list *list, const char *url)
{
	size_t room = talloc_array_length(list->urls);
	if (list->count == room)
		list->urls = talloc_realloc(list, list->urls, char *, room == 0 ? 64 : room * 2);
	list->urls[list->count++] = talloc_strdup(list, url);
}

/* Trims blanks off both ends of LINE; NULL where nothing of interest is left. */
static char *trim(char *line)
{
	static const char blanks[] = " \t\r\n\v\f";
	if (strncmp(line, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as some editors write it */
		line += 3;
	line += strspn(line, blanks);
	size_t n = strlen(line);
	while (n > 0 && strchr(blanks, line[n - 1]) != NULL)
		n--;
	line[n] = '\0';
	return n > 0 && line[0] != '#' ? line : NULL;
}

/* Adds what is on the lines of the file called NAME ("-": standard input). */
static bool read_file(struct url_list *list, const char *name)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "re");
	char *line = NULL;
	size_t room = 0;
	if (file == NULL) {
		complain("%s can't be read: %s", name, strerror(errno));
		return false;
	}
	errno = 0;
	while (getline(&line, &room, file) != -1) {
		char *url = trim(line);
		if (url != NULL)
			add_url(list, url);
	}
	bool failed = ferror(file) != 0;
	if (failed)
		complain("%s can't be read: %s", name, strerror(errno));
	free(line);
	if (!standard)
		fclose(file);
	return !failed;
}

struct url_list *call_urls(struct call *call)
{
	struct url_list *list = talloc_zero(call, struct url_list);
	const char *file = call_option(call, "file");
	for (int i = 0; i < call->count; i++)
		add_url(list, call->arguments[i]);
	if (file == NULL && call->count == 0) {
		complain("%s: no URL given; name some, or a file of them with -f FILE",
			call->command->name);
		return NULL;
	}
	list->from_file = file != NULL;
	if (file != NULL && !read_file(list, file))
		return NULL;
	return list;
}
