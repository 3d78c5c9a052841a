#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
int64_t shim_read_many(const uint8_t *blob, size_t size, int64_t *out);
int64_t shim_write_many(const int64_t *in, int64_t *out);
int main(int argc, char **argv)
{
    int write = argc == 3 && argv[2][0] == 'w';
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    uint8_t *blob = malloc(64000000);
    int64_t *out = malloc(640000000);
    size_t size, count;
    if (file == NULL || blob == NULL || out == NULL) return 2;
    size = fread(blob, 1, 64000000, file);
    fclose(file);
    count = (size_t)(write ? shim_write_many((const int64_t *)(const void *)blob, out)
                           : shim_read_many(blob, size, out));
    size = fwrite(out, sizeof *out, count, stdout);
    free(out);
    free(blob);
    return size == count ? 0 : 3;
}
