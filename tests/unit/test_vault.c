#include "engine/vault.h"

#include "tests/unit/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>

#include <cmocka.h>

static char dir[32];
static struct state *state;

static int setup(void **unused)
{
	struct err err = {0};
	snprintf(dir, sizeof(dir), "/tmp/bugwatch-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	state = state_open(NULL, dir, &err);
	return state == NULL;
}

static int teardown(void **unused)
{
	talloc_free(state);
	postgres_remove(dir);
	return 0;
}

static struct vault *open_vault(void)
{
	struct err err = {0};
	struct vault *vault = vault_open(NULL, state, dir, &err);
	assert_non_null(vault);
	return vault;
}

static void what_is_sealed_opens_again(void **unused)
{
	const struct credentials cases[] = {
		{.api_key = "secret-key-1"},
		{.username = "u", .password = ""},
		{.api_key = "a", .username = "b\xc3\xa9", .password = "c\n\"'\\"},
		{0},
	};
	struct vault *vault = open_vault();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *sealed = vault_seal(vault, vault, &cases[i]);
		assert_memory_equal(sealed, "\\x", 2);
		struct credentials *plain = vault_unseal(vault, vault, sealed);
		assert_non_null(plain);
		const char *pairs[][2] = {{cases[i].api_key, plain->api_key},
			{cases[i].username, plain->username}, {cases[i].password, plain->password}};
		for (int j = 0; j < 3; j++) {
			assert_int_equal(pairs[j][0] == NULL, pairs[j][1] == NULL);
			if (pairs[j][0] != NULL)
				assert_string_equal(pairs[j][0], pairs[j][1]);
		}
		assert_string_not_equal(sealed, vault_seal(vault, vault, &cases[i]));
	}
	talloc_free(vault);
}

static void the_key_outlives_the_vault(void **unused)
{
	struct stat there;
	char path[64];
	struct vault *vault = open_vault();
	char *sealed = vault_seal(state, vault, &(struct credentials){.api_key = "k"});
	talloc_free(vault);
	vault = open_vault();
	struct credentials *plain = vault_unseal(vault, vault, sealed);
	assert_string_equal(plain->api_key, "k");
	snprintf(path, sizeof(path), "%s/secret-key", dir);
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
	talloc_free(vault);
}

static void any_changed_digit_is_noticed(void **unused)
{
	struct vault *vault = open_vault();
	char *sealed = vault_seal(vault, vault, &(struct credentials){.api_key = "k"});
	for (size_t i = 0; i < strlen(sealed); i++) {
		char was = sealed[i];
		sealed[i] = was == '0' ? '1' : '0';
		assert_null(vault_unseal(vault, vault, sealed));
		sealed[i] = was;
	}
	for (size_t n = strlen(sealed); n-- > 0;) {
		sealed[n] = '\0';
		assert_null(vault_unseal(vault, vault, sealed));
	}
	talloc_free(vault);
}

static void what_is_not_sealed_is_refused(void **unused)
{
	const char *cases[] = {"", "\\x", "\\x0", "\\x01", "hello", "\\xzz", "\\x01 02"};
	struct vault *vault = open_vault();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_null(vault_unseal(vault, vault, cases[i]));
	talloc_free(vault);
}

static void another_key_opens_nothing(void **unused)
{
	struct vault *vault = open_vault();
	char *sealed = vault_seal(state, vault, &(struct credentials){.api_key = "k"});
	talloc_free(vault);
	state_remove(state, "secret-key");
	vault = open_vault();
	assert_null(vault_unseal(vault, vault, sealed));
	talloc_free(vault);
}

static void a_broken_key_is_not_replaced(void **unused)
{
	const char *broken[] = {"", "00", "not hexadecimal"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct err err = {0};
		assert_true(state_write(state, "secret-key", broken[i], &err));
		assert_null(vault_open(NULL, state, dir, &err));
		assert_int_equal(err.kind, ERR_SYSTEM);
		assert_non_null(strstr(err.text, "secret-key"));
		assert_string_equal(state_read(state, dir, "secret-key"), broken[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_opens_again),
		cmocka_unit_test(the_key_outlives_the_vault),
		cmocka_unit_test(any_changed_digit_is_noticed),
		cmocka_unit_test(what_is_not_sealed_is_refused),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(a_broken_key_is_not_replaced),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
