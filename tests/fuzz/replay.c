/* Stands in for libFuzzer: gives the target every file of the folders named, and says how many. */
#include "tests/fuzz/one.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Copied into memory of exactly its size, so that a read past its end is seen. */
static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		return false;
	}
	size_t n = (size_t)ftell(file);
	rewind(file);
	uint8_t *bytes = malloc(n == 0 ? 1 : n);
	bool whole = bytes != NULL && fread(bytes, 1, n, file) == n;
	fclose(file);
	if (whole)
		LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
	return whole;
}

static int replay_folder(const char *folder)
{
	DIR *list = opendir(folder);
	struct dirent *entry;
	int files = 0;
	while (list != NULL && (entry = readdir(list)) != NULL) {
		char path[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!replay_file(path))
			exit(1);
		files++;
	}
	if (list != NULL)
		closedir(list);
	return files;
}

int main(int argc, char **argv)
{
	int files = 0;
	for (int i = 1; i < argc; i++)
		files += replay_folder(argv[i]);
	printf("%d inputs\n", files);
	return files == 0;
}
