/* Signatures of messages, against the vector that the Standard Webhooks libraries share. */
#include "engine/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>
#include <sodium.h>

static void signs_as_others_do(void **state)
{
	char *signature = signature_of(NULL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}");
	assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	talloc_free(signature);
}

static void makes_secrets_that_sign(void **state)
{
	char *one = signature_secret(NULL), *other = signature_secret(NULL);
	assert_string_not_equal(one, other);
	char *first = signature_of(one, one, "a", 1, "b");
	assert_non_null(first);
	assert_string_not_equal(first, signature_of(one, one, "a", 2, "b"));
	assert_string_not_equal(first, signature_of(one, other, "a", 1, "b"));
	talloc_free(one);
	talloc_free(other);
}

static void refuses_what_is_no_secret(void **state)
{
	static const char *const bad[] = {"", "whsec_", "whsec_***", "secret",
		"whsec_"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AA"
		"AAAA"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(signature_of(NULL, bad[i], "a", 1, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_others_do),
		cmocka_unit_test(makes_secrets_that_sign),
		cmocka_unit_test(refuses_what_is_no_secret),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
