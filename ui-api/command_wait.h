/* Waiting for a run to end, with progress on standard error. */
#ifndef UI_API_COMMAND_WAIT_H
#define UI_API_COMMAND_WAIT_H

#include "ui-api/command.h"

/*
 * Waits until the run ID has ended and prints it: JSON, or a line about it. DONE where it is done,
 * REFUSED (said why) where it failed or was abandoned, else as call_status.
 */
int wait_for_run(struct call *call, const char *id);

#endif
