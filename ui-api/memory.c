/*
 * When memory ends, so does the program: at once, with a word. Every allocation comes through here,
 * also those of the libraries, of which some go on without what they could not get and would tell
 * half of an answer as the whole. Nothing is lost by ending: what was committed stands, the rest is
 * due again.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#ifdef BUGWATCH_SANITIZE
#define BENEATH(name) __interceptor_##name
#else
#define BENEATH(name) __libc_##name
#endif

extern void *BENEATH(malloc)(size_t n);
extern void *BENEATH(calloc)(size_t count, size_t n);
extern void *BENEATH(realloc)(void *bytes, size_t n);

static void end(void)
{
	static const char words[] =
		"bugwatch: no memory is left, so it ends here; nothing that was stored is lost\n";
	ssize_t ignored = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)ignored;
	_exit(EX_OSERR);
}

void *malloc(size_t n)
{
	void *bytes = BENEATH(malloc)(n);
	if (bytes == NULL)
		end();
	return bytes;
}

void *calloc(size_t count, size_t n)
{
	void *bytes = BENEATH(calloc)(count, n);
	if (bytes == NULL)
		end();
	return bytes;
}

/* With nothing asked for it frees. */
void *realloc(void *bytes, size_t n)
{
	void *moved = BENEATH(realloc)(bytes, n);
	if (moved == NULL && n > 0)
		end();
	return moved;
}
