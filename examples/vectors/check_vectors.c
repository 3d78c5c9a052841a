/* Holds a reader of bits against exported test vectors.

   swapproto export vectors --profile gbt27930-2015 --out vectors.json
   cc -std=c99 -o check_vectors check_vectors.c -lm && ./check_vectors vectors.json

   Every field and payload stands on a line of its own, its keys in a fixed order, so no JSON parser is
   needed. Put your own decoder in the place of physical() and it is your decoder that is checked. Numbers and
   codes of fixed place are compared; text, bytes, times and items are left to you. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct field {
    char message[64], name[64], kind[16], order[8], is_signed[8];
    int start, length, known; /* 10 known where a raw value stands for absent */
    double scale, offset;
    long long absent;
} fields[2048], *end = fields;
static char line[1 << 20];
static unsigned char payload[2048];

/* The value of a field; NAN where it is absent or cut off. */
static double physical(const struct field *f, int size) {
    long long raw = 0;
    int first = f->start / 8 * 8 + 7 - f->start % 8; /* big: down to bit 1, then bit 8 of the next */
    for (int i = 0; i < f->length; i++) { /* from the highest bit to the lowest */
        int bit = f->order[0] == 'b' ? (first + i) ^ 7 : f->start + f->length - 1 - i;
        if (bit / 8 >= size) return NAN;
        raw = raw << 1 | (payload[bit / 8] >> bit % 8 & 1);
    }
    if (f->is_signed[0] == 't' && raw >> (f->length - 1)) raw -= 1LL << f->length;
    return f->known == 10 && raw == f->absent ? NAN : (double)raw * f->scale + f->offset;
}

int main(int argc, char **argv) {
    int cases = 0, values = 0, wrong = 0;
    if (argc != 2) return fprintf(stderr, "usage: check_vectors FILE.json\n"), 2;
    FILE *file = fopen(argv[1], "r");
    if (!file) return fprintf(stderr, "cannot open %s\n", argv[1]), 2;
    while (fgets(line, sizeof line, file)) {
        char *hex = strstr(line, "\"payload\": \""), *is = strstr(line, "\"fields\": {"), message[64];
        int size = 0;
        end->known = sscanf(line, "{\"message\": \"%63[^\"]\", \"name\": \"%63[^\"]\", \"items\": null, "
            "\"kind\": \"%15[^\"]\", \"start\": %d, \"length\": %d, \"order\": \"%7[^\"]\", \"signed\": "
            "%7[a-z], \"scale\": %lf, \"offset\": %lf, \"absent\": %lld", end->message, end->name, end->kind,
            &end->start, &end->length, end->order, end->is_signed, &end->scale, &end->offset, &end->absent);
        if (end->known >= 9 && strchr("ic", end->kind[0]) && end < fields + 2047) end++; /* integer, code */
        if (!hex || !is || sscanf(line, "{\"message\": \"%63[^\"]\", \"case\"", message) != 1) continue;
        for (hex += 12; size < 2048 && sscanf(hex, "%2hhx", &payload[size]) == 1; hex += 2) size++;
        cases++;
        for (struct field *f = fields; f < end; f++) {
            char key[80];
            snprintf(key, sizeof key, "\"%s\": ", f->name);
            char *at = strcmp(f->message, message) ? NULL : strstr(is, key);
            if (!at) continue;
            at += strlen(key);
            double got = physical(f, size), want = strncmp(at, "null", 4) ? strtod(at, NULL) : NAN;
            values++;
            if (isnan(got) == isnan(want) && !(fabs(got - want) > 1e-9 * fmax(1, fabs(want)))) continue;
            wrong++;
            printf("%s.%s is %g, should be %g: %.100s...\n", message, f->name, got, want, line);
        }
    }
    if (!values) return fprintf(stderr, "%s holds no test vectors: swapproto export vectors\n", argv[1]), 2;
    printf("%d payloads, %d values, %d wrong\n", cases, values, wrong);
    return fclose(file) || wrong;
}
