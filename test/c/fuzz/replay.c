/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives LLVMFuzzerTestOneInput() what libFuzzer would: nothing, single bytes, and every file of the
 * folder named as argument. So inputs that once broke a decoder are tests under any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return -1;
    }
    size_t size = (size_t)ftell(file);
    rewind(file);

    /* Of the exact size, so that AddressSanitizer sees a read behind the end. */
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size)
        abort();
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    LLVMFuzzerTestOneInput(NULL, 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t data = (uint8_t)byte;
        LLVMFuzzerTestOneInput(&data, 1);
    }
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            if (entry->d_name[0] == '.')
                continue;
            if (replay_file(argv[i], entry->d_name) != 0)
                return 1;
            files++;
        }
        closedir(folder);
    }
    printf("%zu inputs\n", files + 257);
    return 0;
}
