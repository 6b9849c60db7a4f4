// The same rules in libical: instances a second with their mapping to UTC, and the next instance ten years on.
//
//     cc -O2 -o libical_peer libical_peer.c $(pkg-config --cflags --libs libical) && ./libical_peer rules.txt
//
// Prints one line of JSON: rate, median and p99 (microseconds).

#define _GNU_SOURCE
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { count = 1000, calls = 200 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file) return 2;
    icaltimezone *zone = icaltimezone_get_builtin_timezone("America/New_York");
    icaltimezone *utc = icaltimezone_get_utc_timezone();
    char line[1000];
    static double times[100 * calls];
    double spent = 0;
    long total = 0;
    int asked = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!*line) continue;
        struct icalrecurrencetype rule = icalrecurrencetype_from_string(line);
        struct icaltimetype start = icaltime_from_string("19970902T090000");
        start.zone = zone;
        double begin = now();
        icalrecur_iterator *iterator = icalrecur_iterator_new(rule, start);
        for (int index = 0; index < count; index++) {
            struct icaltimetype time = icalrecur_iterator_next(iterator);
            if (icaltime_is_null_time(time)) break;
            icaltime_convert_to_zone(time, utc);
            total++;
        }
        icalrecur_iterator_free(iterator);
        spent += now() - begin;
        for (int call = 0; call < calls; call++) {
            struct icaltimetype later = start;
            icaltime_adjust(&later, 3652 + call, 0, 0, call);
            begin = now();
            iterator = icalrecur_iterator_new(rule, start);
            icalrecur_iterator_set_start(iterator, later);
            icaltime_convert_to_zone(icalrecur_iterator_next(iterator), utc);
            icalrecur_iterator_free(iterator);
            times[asked++] = (now() - begin) * 1e6;
        }
    }
    qsort(times, asked, sizeof *times, ascending);
    printf("{\"rate\": %.0f, \"median\": %.2f, \"p99\": %.2f}\n", total / spent, times[asked / 2], times[asked * 99 / 100]);
    return 0;
}
