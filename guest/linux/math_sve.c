/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels in SVE, at any vector length. */
#include <arm_sve.h>

#include "linux/math.h"

static s64 dot(const s16 *a, const s16 *b, u64 n)
{
	svint64_t sum = svdup_s64(0);

	for (u64 i = 0; i < n; i += svcnth()) {
		svbool_t p = svwhilelt_b16_u64(i, n);

		sum = svdot_s64(sum, svld1_s16(p, a + i), svld1_s16(p, b + i));
	}
	return svaddv_s64(svptrue_b64(), sum);
}

static void matmul(double *c, const double *a, const double *b, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		for (u64 j = 0; j < n; j += svcntd()) {
			svbool_t p = svwhilelt_b64_u64(j, n);
			svfloat64_t sum = svdup_f64(0);

			for (u64 k = 0; k < n; k++)
				sum = svmla_n_f64_m(p, sum, svld1_f64(p, b + k * n + j),
						    a[i * n + k]);
			svst1_f64(p, c + i * n + j, sum);
		}
	}
}

static void from_int(double *to, const s64 *from, u64 n)
{
	for (u64 i = 0; i < n; i += svcntd()) {
		svbool_t p = svwhilelt_b64_u64(i, n);

		svst1_f64(p, to + i, svcvt_f64_s64_x(p, svld1_s64(p, from + i)));
	}
}

static void to_int(s64 *to, const double *from, u64 n)
{
	for (u64 i = 0; i < n; i += svcntd()) {
		svbool_t p = svwhilelt_b64_u64(i, n);

		svst1_s64(p, to + i, svcvt_s64_f64_x(p, svld1_f64(p, from + i)));
	}
}

static void roots(double *to, const double *a, u64 n)
{
	for (u64 i = 0; i < n; i += svcntd()) {
		svbool_t p = svwhilelt_b64_u64(i, n);
		svfloat64_t v = svld1_f64(p, a + i);
		svfloat64_t root = svsqrt_f64_x(p, svmul_f64_x(p, v, v));

		svst1_f64(p, to + i,
			  svadd_f64_x(p, root, svdiv_n_f64_x(p, svmul_n_f64_x(p, v, 3), 3)));
	}
}

static void permute(u64 *to, u64 *back, const u64 *from, const u64 *index, u64 n)
{
	for (u64 i = 0; i < n; i += svcntd()) {
		svbool_t p = svwhilelt_b64_u64(i, n);

		svst1_scatter_u64index_u64(p, to, svld1_u64(p, index + i), svld1_u64(p, from + i));
	}
	for (u64 i = 0; i < n; i += svcntd()) {
		svbool_t p = svwhilelt_b64_u64(i, n);

		svst1_u64(p, back + i, svld1_gather_u64index_u64(p, to, svld1_u64(p, index + i)));
	}
}

static u64 above(s64 *to, const s64 *a, s64 limit, u64 n)
{
	u64 count = 0;

	for (u64 i = 0; i < n; i += svcntd()) {
		svbool_t p = svwhilelt_b64_u64(i, n);
		svint64_t v = svld1_s64(p, a + i);
		svbool_t more = svcmpgt_n_s64(p, v, limit);
		u64 found = svcntp_b64(p, more);

		svst1_s64(svwhilelt_b64_u64(0, found), to + count, svcompact_s64(more, v));
		count += found;
	}
	return count;
}

/*
 * First-fault loads: an element on an unmapped page ends the vector early, and FFR says where. The
 * lanes after it do not hold MATH_END, so a wrong FFR gives a wrong length.
 */
static u64 length(const u8 *text, u64 max)
{
	u64 n = 0;

	while (n < max) {
		svbool_t read, end;
		svuint8_t v;

		svsetffr();
		v = svldff1_u8(svptrue_b8(), text + n);
		read = svrdffr();
		end = svcmpeq_n_u8(read, v, MATH_END);
		if (svptest_any(read, end))
			return n + svcntp_b8(read, svbrkb_b_z(read, end));
		n += svcntp_b8(svptrue_b8(), read);
	}
	return n;
}

static svuint64_t lanes(const u64 *x, u64 at)
{
	return svld1_u64(svwhilelt_b64_u64(at, MATH_LANES), x + at);
}

static void put_lanes(u64 *x, u64 at, svuint64_t v)
{
	svst1_u64(svwhilelt_b64_u64(at, MATH_LANES), x + at, v);
}

/* Eight registers that hold their values for the whole loop. */
static void iterate(u64 *x, u64 times)
{
	const svbool_t p = svptrue_b64();
	const svuint64_t mul = svdup_u64(MATH_MUL), add = svdup_u64(MATH_ADD);
	const u64 step = svcntd();

	for (u64 i = 0; i < MATH_LANES; i += 8 * step) {
		svuint64_t a = lanes(x, i), b = lanes(x, i + step);
		svuint64_t c = lanes(x, i + 2 * step), d = lanes(x, i + 3 * step);
		svuint64_t e = lanes(x, i + 4 * step), f = lanes(x, i + 5 * step);
		svuint64_t g = lanes(x, i + 6 * step), h = lanes(x, i + 7 * step);

		for (u64 n = 0; n < times; n++) {
			a = svmad_u64_x(p, a, mul, add);
			b = svmad_u64_x(p, b, mul, add);
			c = svmad_u64_x(p, c, mul, add);
			d = svmad_u64_x(p, d, mul, add);
			e = svmad_u64_x(p, e, mul, add);
			f = svmad_u64_x(p, f, mul, add);
			g = svmad_u64_x(p, g, mul, add);
			h = svmad_u64_x(p, h, mul, add);
		}
		put_lanes(x, i, a);
		put_lanes(x, i + step, b);
		put_lanes(x, i + 2 * step, c);
		put_lanes(x, i + 3 * step, d);
		put_lanes(x, i + 4 * step, e);
		put_lanes(x, i + 5 * step, f);
		put_lanes(x, i + 6 * step, g);
		put_lanes(x, i + 7 * step, h);
	}
}

const struct math math_sve = {
	dot, matmul, from_int, to_int, roots, permute, above, length, iterate
};
