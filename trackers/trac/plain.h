/* HTML as Trac makes it from comments, turned back into plain text. */
#ifndef TRACKERS_TRAC_PLAIN_H
#define TRACKERS_TRAC_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text of HTML: paragraphs apart by an empty line, list items after `* `, quotations and code
 * with their lines kept; links by their words. WITHOUT_CHANGES leaves out the list of changed
 * fields that Trac puts first. Clean (text_clean), owned by OWNER; NULL where it can't be read.
 */
char *plain_of_html(const void *owner, const char *html, bool without_changes, size_t limit);

#endif
