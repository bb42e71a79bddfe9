#!/usr/bin/env bash
# The objects of trackers/ reach nothing outside: no socket, clock, file, process, random number or
# environment, no curl, libevent, c-ares or libpq; and they hold no state of their own.
. "$(dirname "$0")/common.sh"

forbidden='socket|connect|bind|listen|accept4?|send(to|msg|mmsg|file)?|recv(from|msg|mmsg)?'
forbidden+='|shutdown|[gs]etsockopt|p?poll|p?select|epoll_.*|getaddrinfo|gethostby.*|res_.*'
forbidden+='|time|gettimeofday|clock(_.*)?|localtime(_r)?|mktime|n?sleep|usleep|nanosleep|timer_.*'
forbidden+='|open(at)?(64)?|fopen(64)?|fdopen|p?read(v|64)?|p?write(v|64)?|ioctl|fcntl(64)?|[lf]?stat(at|x|fs|vfs)?(64)?'
forbidden+='|printf|puts|putchar|fprintf|fputs|fwrite|stdin|stdout|stderr'
forbidden+='|fork|vfork|exec.*|system|popen|kill|pthread_create|getenv|setenv|rand|random|getrandom'
forbidden+='|curl_.*|event_.*|evbuffer_.*|evhttp_.*|bufferevent_.*|evtimer_.*|evutil_.*|ares_.*|PQ.*|pq.*'

mapfile -d '' objects < <(find build/trackers -name '*.o' -print0)
if ((${#objects[@]} == 0)); then
	echo "pure: no objects of trackers/ in build/" >&2
	exit 1
fi

# nm -A prints FILE: TYPE SYMBOL; fortified calls (__read_chk) count as what they are.
imports=$(nm -A -u "${objects[@]}" |
	sed -E 's/@.*$//; s/ __([a-z]+)_chk$/ \1/; s/ __isoc99_/ /' |
	grep -E " U ($forbidden)\$" || true)

# FILE NAME SECTION of what can be written to while the program runs.
state=$(
	for object in "${objects[@]}"; do
		objdump -t "$object" | sed -nE 's/^.{25}([.][^ ]+|[*]COM[*])\t[^ ]+ +([^ ]+)$/\1 \2/p' |
			grep -E '^([*]COM[*]|[.](data|bss|tdata|tbss)([.].*)?) ' |
			grep -vE '^[.]data[.]rel[.]ro|^([^ ]+) \1$' |
			sed "s|^|$object: |" || true
	done
)

if [[ -n $imports$state ]]; then
	printf '%s\n' ${imports:+"$imports"} ${state:+"$state"} |
		sed 's|^build/trackers/CMakeFiles/trackers.dir/|trackers/|' >&2
	echo "pure: drivers are bytes in, bytes out (docs/architecture.md)" >&2
	exit 1
fi
