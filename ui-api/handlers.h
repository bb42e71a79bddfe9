/* The handlers of the route table (route.c); each answers its request, at once or later. */
#ifndef UI_API_HANDLERS_H
#define UI_API_HANDLERS_H

#include "ui-api/body.h"

struct request;

typedef void request_handler(struct request *request);

/* health_handlers.c */
request_handler handle_health, handle_ready;
/* tracker_handlers.c */
request_handler handle_list_trackers, handle_make_tracker, handle_show_tracker;
request_handler handle_change_tracker, handle_remove_tracker;
/* product_handlers.c */
request_handler handle_list_products, handle_show_product;
request_handler handle_set_product, handle_remove_product;
/* mapping_handlers.c */
request_handler handle_list_mappings, handle_show_mapping;
request_handler handle_set_mapping, handle_remove_mapping;
/* stats_handlers.c */
request_handler handle_show_tracker_stats, handle_show_stats;
/* check_handlers.c */
request_handler handle_check_tracker, handle_check_watch;
/* watch_handlers.c */
request_handler handle_list_watches, handle_show_watch, handle_remove_watch;
request_handler handle_list_watch_comments, handle_list_watch_events;
/* watch_making.c */
request_handler handle_make_watches;
/* run_handlers.c */
request_handler handle_list_runs, handle_show_run, handle_list_run_errors;
/* feed_handlers.c */
request_handler handle_feed;
/* event_handlers.c */
request_handler handle_list_events;
/* token_handlers.c */
request_handler handle_list_tokens, handle_make_token, handle_remove_token, handle_who_am_i;
request_handler handle_list_audit;

/* webhook_handlers.c */
request_handler handle_list_webhooks, handle_make_webhook, handle_show_webhook;
request_handler handle_change_webhook, handle_remove_webhook, handle_replay_webhook;
/* openapi_handlers.c */
request_handler handle_openapi, handle_show_problem;

/* The fields of the bodies that they take; each stands beside its handler. */
extern const struct body_field new_tracker_body[], changed_tracker_body[], product_body[];
extern const struct body_field mapping_body[], watch_body[], token_body[];
extern const struct body_field new_webhook_body[], changed_webhook_body[], replay_body[];

/* How many watches one request may make. */
enum { WATCHES_MOST = 10000 };

#endif
