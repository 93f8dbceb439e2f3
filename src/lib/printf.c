/* SPDX-License-Identifier: Apache-2.0 */
/* snprintf and vsnprintf (log.h): the conversions that nidus uses, as C11 defines them. */
#include "lib/log.h"
#include "lib/string.h"

/* The destination of the text; what does not fit is only counted. */
struct out {
	char *buf;
	size_t size, len;
};

/* One conversion specification: %[flags][width][.precision][length]conversion */
struct spec {
	bool left, zero;
	int width;
	int precision; /* -1: none given */
	int length;    /* -2 hh, -1 h, 0 int, 1 l or z, 2 ll */
	char conv;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

/* A body of n characters, padded with spaces to the width. */
static void put_text(struct out *o, const struct spec *s, const char *text, int n)
{
	if (!s->left)
		pad(o, ' ', s->width - n);
	for (int i = 0; i < n; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', s->width - n);
}

/* prefix is a sign, "0x" or "": zeros go between it and the digits. */
static void put_number(struct out *o, const struct spec *s, const char *prefix, u64 v, u32 base)
{
	const char *digit = s->conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	int plen = (int)strlen(prefix), n = 0, zeros;
	char text[20]; /* the digits, last first */

	for (; v; v /= base)
		text[n++] = digit[v % base];
	zeros = s->precision >= 0 ? s->precision - n : !n;
	if (s->precision < 0 && s->zero && !s->left)
		zeros = MAX(zeros, s->width - plen - n);
	zeros = MAX(zeros, 0);

	if (!s->left)
		pad(o, ' ', s->width - plen - zeros - n);
	for (const char *p = prefix; *p; p++)
		put(o, *p);
	pad(o, '0', zeros);
	for (int i = n; i; i--)
		put(o, text[i - 1]);
	if (s->left)
		pad(o, ' ', s->width - plen - zeros - n);
}

static s64 take_signed(const struct spec *s, va_list *ap)
{
	switch (s->length) {
	case 2:
		return va_arg(*ap, long long);
	case 1:
		return va_arg(*ap, long);
	case -1:
		return (short)va_arg(*ap, int);
	case -2:
		return (signed char)va_arg(*ap, int);
	default:
		return va_arg(*ap, int);
	}
}

static u64 take_unsigned(const struct spec *s, va_list *ap)
{
	switch (s->length) {
	case 2:
		return va_arg(*ap, unsigned long long);
	case 1:
		return va_arg(*ap, unsigned long);
	case -1:
		return (unsigned short)va_arg(*ap, unsigned int);
	case -2:
		return (unsigned char)va_arg(*ap, unsigned int);
	default:
		return va_arg(*ap, unsigned int);
	}
}

/* A decimal number, or * for one from the arguments. */
static const char *parse_number(const char *f, int *n, va_list *ap)
{
	*n = 0;
	if (*f == '*') {
		*n = va_arg(*ap, int);
		return f + 1;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		if (*n < 100000)
			*n = *n * 10 + (*f - '0');
	return f;
}

static const char *parse_length(const char *f, int *length)
{
	*length = 0;
	if (*f == 'z') {
		*length = 1;
		return f + 1;
	}
	for (; *f == 'l' && *length < 2; f++)
		++*length;
	for (; *f == 'h' && *length <= 0 && *length > -2; f++)
		--*length;
	return f;
}

/* f is behind the '%'; returns where the specification ends. */
static const char *parse_spec(const char *f, struct spec *s, va_list *ap)
{
	*s = (struct spec){ .precision = -1 };
	for (; *f == '-' || *f == '0'; f++) {
		s->left |= *f == '-';
		s->zero |= *f == '0';
	}
	f = parse_number(f, &s->width, ap);
	if (s->width < 0) {
		s->left = true;
		s->width = s->width == INT32_MIN ? INT32_MAX : -s->width;
	}
	if (*f == '.')
		f = parse_number(f + 1, &s->precision, ap);
	f = parse_length(f, &s->length);
	s->conv = *f;
	return *f ? f + 1 : f;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	put_text(o, s, text,
		 (int)strnlen(text, s->precision < 0 ? INT32_MAX : (size_t)s->precision));
}

static void put_signed(struct out *o, const struct spec *s, s64 v)
{
	put_number(o, s, v < 0 ? "-" : "", v < 0 ? -(u64)v : (u64)v, 10);
}

static void convert(struct out *o, const struct spec *s, va_list *ap)
{
	char c;

	switch (s->conv) {
	case 'c':
		c = (char)va_arg(*ap, int);
		put_text(o, s, &c, 1);
		break;
	case 's':
		put_string(o, s, va_arg(*ap, const char *));
		break;
	case 'd':
	case 'i':
		put_signed(o, s, take_signed(s, ap));
		break;
	case 'u':
		put_number(o, s, "", take_unsigned(s, ap), 10);
		break;
	case 'x':
	case 'X':
		put_number(o, s, "", take_unsigned(s, ap), 16);
		break;
	case 'p':
		put_number(o, s, "0x", (uintptr_t)va_arg(*ap, void *), 16);
		break;
	case '%':
		put(o, '%');
		break;
	default: /* not a conversion that is supported: show it, so that the mistake is noticed */
		put(o, '%');
		if (s->conv)
			put(o, s->conv);
		break;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct spec s;
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		if (*fmt != '%') {
			put(&o, *fmt++);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s, &args);
		convert(&o, &s, &args);
	}
	va_end(args);
	if (size)
		buf[MIN(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
