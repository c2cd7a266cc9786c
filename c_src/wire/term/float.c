/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/float.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_MAX = 17, PARSE_MAX = 2048, INTEGER_BITS = 53 };

/* A positive number as 0.d1d2d3... times ten to the `point`. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
};

/* The locale decides what stands between the digits. */
static char decimal_point(void)
{
    char text[8];
    snprintf(text, sizeof text, "%.1f", 0.5);
    return text[1];
}

/* `value` correctly rounded to `count` digits, without zeros at the end. */
static struct decimal rounded(double value, int count)
{
    char text[GCL_FLOAT_TEXT_MAX];
    struct decimal decimal = {.count = 0};
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            decimal.digits[decimal.count++] = *at;
    decimal.point = (int)strtol(at + 1, NULL, 10) + 1;
    while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    return decimal;
}

static double value_of(const struct decimal *decimal)
{
    char text[GCL_FLOAT_TEXT_MAX];
    snprintf(text, sizeof text, "%.*se%d", decimal->count, decimal->digits,
             decimal->point - decimal->count);
    return strtod(text, NULL);
}

/* The next larger one of as many digits. */
static void step_up(struct decimal *decimal)
{
    int last = decimal->count - 1;
    while (last > 0 && decimal->digits[last] == '9')
        last--;
    if (decimal->digits[last] == '9') {
        decimal->digits[last] = '0';
        decimal->point++;
    }
    decimal->digits[last]++;
    decimal->count = last + 1;
}

/*
 * Below a power of two the numbers lie closer together than above it: there fewer digits may do
 * when they are rounded up although rounding down is nearer.
 */
static bool is_power_of_two(double value)
{
    int exponent;
    return frexp(value, &exponent) == 0.5;
}

static struct decimal shortest(double value)
{
    /* 15 digits are kept by every number that is not subnormal: fewer show as zeros at the end. */
    int first = value < 2.2250738585072014e-308 ? 1 : DIGITS_MAX - 2;
    for (int count = first; count < DIGITS_MAX; count++) {
        struct decimal decimal = rounded(value, count);
        if (value_of(&decimal) == value)
            return decimal;
        if (is_power_of_two(value) && decimal.count == count) {
            step_up(&decimal);
            if (value_of(&decimal) == value)
                return decimal;
        }
    }
    return rounded(value, DIGITS_MAX);
}

static char *put(char *at, const char *digits, int count)
{
    for (int i = 0; i < count; i++)
        *at++ = digits[i];
    return at;
}

static char *zeros(char *at, int count)
{
    while (count-- > 0)
        *at++ = '0';
    return at;
}

/* d.ddde-N */
static char *put_scientific(char *at, const struct decimal *decimal)
{
    *at++ = decimal->digits[0];
    *at++ = '.';
    at = decimal->count > 1 ? put(at, decimal->digits + 1, decimal->count - 1) : zeros(at, 1);
    return at + sprintf(at, "e%d", decimal->point - 1);
}

static char *put_plain(char *at, const struct decimal *decimal)
{
    int count = decimal->count, point = decimal->point;
    if (point <= 0) {
        *at++ = '0';
        *at++ = '.';
        return put(zeros(at, -point), decimal->digits, count);
    }
    if (point >= count) {
        at = zeros(put(at, decimal->digits, count), point - count);
        *at++ = '.';
        return zeros(at, 1);
    }
    at = put(at, decimal->digits, point);
    *at++ = '.';
    return put(at, decimal->digits + point, count - point);
}

size_t gcl_float_print(double value, char text[GCL_FLOAT_TEXT_MAX])
{
    char plain[2 * GCL_FLOAT_TEXT_MAX];
    char *at = text;
    if (signbit(value))
        *at++ = '-';
    value = fabs(value);
    if (value == 0)
        return (size_t)(put(at, "0.0", 3) - text);
    struct decimal decimal = shortest(value);
    char *end = put_scientific(at, &decimal);
    bool may_be_plain = value < ldexp(1, INTEGER_BITS) && decimal.point > -GCL_FLOAT_TEXT_MAX;
    size_t size = may_be_plain ? (size_t)(put_plain(plain, &decimal) - plain) : SIZE_MAX;
    if (size <= (size_t)(end - at)) { /* the shorter form, and the plain one if they are equal */
        memcpy(at, plain, size);
        end = at + size;
    }
    return (size_t)(end - text);
}

bool gcl_float_parse(struct gcl_str text, double *value)
{
    char plain[PARSE_MAX];
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.bytes[i];
        if (c == '_')
            continue;
        if (size + 1 == sizeof plain)
            return false;
        if (c == '.')
            c = decimal_point();
        plain[size++] = c;
    }
    plain[size] = '\0';
    *value = strtod(plain, NULL);
    return isfinite(*value);
}
