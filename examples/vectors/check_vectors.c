/* Holds a reader of bits against exported test vectors.
 *
 *     swapproto export vectors --profile gbt27930-2015 --out vectors.json
 *     cc -std=c99 -o check_vectors check_vectors.c -lm && ./check_vectors vectors.json
 *
 * Every field and every payload stands on a line of its own, with its keys in a fixed order, so no JSON
 * parser is needed. Put your own decoder in the place of physical() and it is your decoder that is checked.
 * Numbers and codes of fixed place are compared; text, bytes, times and items are left to you. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
    char message[64], name[64], kind[16], order[8], is_signed[8];
    int start, length, has_absent;
    double scale, offset;
    long long absent;
};
static struct field fields[2048];
static char line[1 << 20];
static unsigned char payload[2048];

/* The value of a field; NAN where it is absent or cut off. */
static double physical(const struct field *f, int size) {
    long long raw = 0;
    for (int i = 0; i < f->length; i++) { /* from the highest bit to the lowest */
        int bit = f->start + f->length - 1 - i;
        if (f->order[0] == 'b') { /* down to bit 1 of a byte, on with bit 8 of the next */
            bit = f->start / 8 * 8 + 7 - f->start % 8 + i;
            bit = bit / 8 * 8 + 7 - bit % 8;
        }
        if (bit / 8 >= size) return NAN;
        raw = raw << 1 | (payload[bit / 8] >> bit % 8 & 1);
    }
    if (f->is_signed[0] == 't' && raw >> (f->length - 1)) raw -= 1LL << f->length;
    return f->has_absent && raw == f->absent ? NAN : (double)raw * f->scale + f->offset;
}

/* A row of the table of fields; 0 for other rows, and for what is neither number nor code. */
static int read_field(struct field *f) {
    int got = sscanf(line, "{\"message\": \"%63[^\"]\", \"name\": \"%63[^\"]\", \"items\": null, "
                     "\"kind\": \"%15[^\"]\", \"start\": %d, \"length\": %d, \"order\": \"%7[^\"]\", "
                     "\"signed\": %7[a-z], \"scale\": %lf, \"offset\": %lf, \"absent\": %lld",
                     f->message, f->name, f->kind, &f->start, &f->length, f->order, f->is_signed,
                     &f->scale, &f->offset, &f->absent);
    f->has_absent = got == 10;
    return got >= 9 && (f->kind[0] == 'i' || f->kind[0] == 'c');
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    int count = 0, cases = 0, values = 0, wrong = 0;
    if (!file) return fprintf(stderr, "usage: check_vectors FILE.json\n"), 2;
    while (fgets(line, sizeof line, file)) {
        char message[64], key[80], *hex = strstr(line, "\"payload\": \""), *is = strstr(line, "\"fields\": {");
        int size = 0;
        if (count < 2048) count += read_field(&fields[count]);
        if (!hex || !is || sscanf(line, "{\"message\": \"%63[^\"]\", \"case\"", message) != 1) continue;
        for (hex += 12; size < 2048 && sscanf(hex, "%2hhx", &payload[size]) == 1; hex += 2) size++;
        cases++;
        for (struct field *f = fields; f < fields + count; f++) {
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
    fclose(file);
    printf("%d payloads, %d values, %d wrong\n", cases, values, wrong);
    return wrong || !values;
}
