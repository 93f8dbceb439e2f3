/* SPDX-License-Identifier: Apache-2.0 */
/* The UART for errors that come before the device tree is read, found in the tree itself. */
#include "boot/earlycon.h"

#include "lib/string.h"

/* Devicetree Specification, chapter 5: the flattened format, version 17. */
#define MAGIC 0xd00dfeedU
#define HEADER 40
#define BEGIN_NODE 1
#define END_NODE 2
#define PROP 3
#define NOP 4

#define NODES_MAX 8
#define NAME_MAX 256 /* bytes of a name, more than any has */
#define CELLS_DEFAULT 2

struct blob {
	const u8 *at;
	u32 size; /* of what may be read */
	u32 structure, strings;
};

/* A property, and where it is: the nodes from the root, of which level 0 is the root itself. */
struct prop {
	const char *name;
	const u8 *value;
	u32 size, depth;
	u32 node[NODES_MAX]; /* offsets of their names */
};

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static bool word(const struct blob *b, u32 offset, u32 *v)
{
	if (offset > b->size || b->size - offset < 4)
		return false;
	*v = be32(b->at + offset);
	return true;
}

/* The name at an offset, if it ends inside the blob. */
static const char *text(const struct blob *b, u32 offset)
{
	for (u32 i = offset; i < b->size && i - offset < NAME_MAX; i++)
		if (!b->at[i])
			return (const char *)b->at + offset;
	return NULL;
}

static bool open_blob(struct blob *b, const void *fdt, u64 limit)
{
	u32 total;

	*b = (struct blob){ .at = fdt, .size = HEADER };
	if (!fdt || limit < HEADER || be32(b->at) != MAGIC)
		return false;
	total = be32(b->at + 4);
	if (total < HEADER)
		return false;
	b->size = (u32)MIN(total, limit);
	b->structure = be32(b->at + 8);
	b->strings = be32(b->at + 12);
	return true;
}

/* ---- walking --------------------------------------------------------------------------------- */

enum walk { WALK_ON, WALK_FOUND, WALK_BAD, WALK_END };

typedef enum walk prop_fn(const struct blob *b, const struct prop *p, void *arg);

/* A property at offset *at, behind its token; *at is moved behind it. */
static enum walk one_prop(const struct blob *b, struct prop *p, u32 *at, prop_fn *fn, void *arg)
{
	u32 name;

	if (!word(b, *at, &p->size) || !word(b, *at + 4, &name) || name > b->size - b->strings)
		return WALK_BAD;
	p->name = text(b, b->strings + name);
	*at += 8;
	if (!p->name || p->size > b->size - *at)
		return WALK_BAD;
	p->value = b->at + *at;
	*at = ALIGN_UP(*at + p->size, 4U);
	/* Deeper than anything that is looked for. */
	return p->depth >= NODES_MAX ? WALK_ON : fn(b, p, arg);
}

/* A node's name at offset *at, behind its token; *at is moved behind it. */
static enum walk begin_node(const struct blob *b, struct prop *p, u32 nodes, u32 *at)
{
	const char *name = text(b, *at);

	if (!name)
		return WALK_BAD;
	if (nodes < NODES_MAX)
		p->node[nodes] = *at;
	p->depth = nodes;
	*at = ALIGN_UP(*at + (u32)strlen(name) + 1, 4U);
	return WALK_ON;
}

/* Call fn for each property, in their order, until it says something else than WALK_ON. */
static enum walk walk(const struct blob *b, prop_fn *fn, void *arg)
{
	u32 at = b->structure, nodes = 0, token;
	enum walk step = WALK_ON;
	struct prop p;

	if (b->strings > b->size)
		return WALK_BAD;
	while (step == WALK_ON && word(b, at, &token)) {
		at += 4;
		if (token == BEGIN_NODE) {
			step = begin_node(b, &p, nodes++, &at);
		} else if (token == END_NODE && nodes) {
			if (!--nodes)
				return WALK_END;
		} else if (token == PROP && nodes) {
			p.depth = nodes - 1;
			step = one_prop(b, &p, &at, fn, arg);
		} else if (token != NOP) {
			return WALK_BAD;
		}
	}
	return step == WALK_ON ? WALK_BAD : step;
}

static bool is(const struct prop *p, const char *name)
{
	return !strcmp(p->name, name);
}

/* Whether it is a property of the root's child of this name. */
static bool in_child(const struct blob *b, const struct prop *p, const char *name)
{
	return p->depth == 1 && !strcmp((const char *)b->at + p->node[1], name);
}

static const char *prop_text(const struct prop *p)
{
	return p->size && !p->value[p->size - 1] ? (const char *)p->value : NULL;
}

/* ---- /chosen and /aliases -------------------------------------------------------------------- */

struct chosen {
	const char *bootargs, *path;
};

static enum walk chosen_prop(const struct blob *b, const struct prop *p, void *arg)
{
	struct chosen *c = arg;

	if (!in_child(b, p, "chosen"))
		return WALK_ON;
	if (is(p, "bootargs"))
		c->bootargs = prop_text(p);
	if (is(p, "stdout-path"))
		c->path = prop_text(p);
	return WALK_ON;
}

struct alias {
	const char *name;
	u32 len;
	const char *path;
};

static enum walk alias_prop(const struct blob *b, const struct prop *p, void *arg)
{
	struct alias *a = arg;

	if (!in_child(b, p, "aliases") || strlen(p->name) != a->len ||
	    strncmp(p->name, a->name, a->len))
		return WALK_ON;
	a->path = prop_text(p);
	return WALK_FOUND;
}

/* ---- earlycon=TYPE,ADDRESS ------------------------------------------------------------------- */

/* Whether *s begins with a word and a comma; if so, *s is moved behind them. */
static bool skip(const char **s, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(*s, name, n) || (*s)[n] != ',')
		return false;
	*s += n + 1;
	return true;
}

static u32 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : 16;
}

/* A hexadecimal number with 0x that ends at a comma, a blank or the end; 0: something else. */
static u64 address(const char *s)
{
	u64 v = 0;

	if (s[0] != '0' || (s[1] | 0x20) != 'x')
		return 0;
	for (s += 2; digit(*s) < 16; s++) {
		if (v >> 60)
			return 0;
		v = v << 4 | digit(*s);
	}
	return !*s || *s == ',' || *s == ' ' ? v : 0;
}

/* Whether the value of earlycon= is one; if so, *at is what it says. */
static bool said(const char *s, struct uart_place *at)
{
	bool wide;

	*at = (struct uart_place){ .kind = UART_PL011, .width = 1 };
	if (skip(&s, "uart8250") || skip(&s, "uart") || skip(&s, "ns16550a") ||
	    skip(&s, "ns16550")) {
		at->kind = UART_8250;
	} else if (!skip(&s, "pl011")) {
		return false;
	}
	wide = skip(&s, "mmio32");
	if (!wide)
		skip(&s, "mmio");
	if (wide && at->kind == UART_8250) {
		at->shift = 2;
		at->width = 4;
	}
	at->base = address(s);
	return at->base;
}

/* The value of the last earlycon= among the words; NULL: there is none. */
static const char *earlycon_word(const char *bootargs)
{
	static const char name[] = "earlycon=";
	const char *found = NULL;

	for (const char *s = bootargs; s && *s; s++)
		if ((s == bootargs || s[-1] == ' ') && !strncmp(s, name, sizeof(name) - 1))
			found = s + sizeof(name) - 1;
	return found;
}

const char *earlycon_refused(const char *bootargs, int *len)
{
	const char *word = earlycon_word(bootargs);
	struct uart_place at;

	if (!word || said(word, &at))
		return NULL;
	for (*len = 0; word[*len] && word[*len] != ' '; (*len)++)
		;
	return word;
}

/* ---- the node of stdout-path ----------------------------------------------------------------- */

struct node {
	const char *path; /* up to a colon or its end */
	u32 len;
	u32 cells[NODES_MAX];   /* #address-cells of the nodes on the way */
	bool ranges[NODES_MAX]; /* whether they have an empty ranges */
	bool known, off;
	u64 base;
	u32 kind, shift, width;
};

/* Whether p is a property of the node of this path (*end), or of one on the way to it. */
static bool on_the_way(const struct blob *b, const struct prop *p, const struct node *n, bool *end)
{
	const char *s = n->path, *stop = n->path + n->len;

	for (u32 i = 1; i <= p->depth; i++) {
		const char *name = (const char *)b->at + p->node[i];
		size_t len = strlen(name);

		if ((size_t)(stop - s) < len + 1 || *s != '/' || strncmp(s + 1, name, len))
			return false;
		s += len + 1;
		if (s != stop && *s != '/')
			return false;
	}
	*end = s == stop;
	return true;
}

const struct uart_binding uart_bindings[UART_BINDINGS] = {
	{ "arm,pl011", UART_PL011 },       { "arm,sbsa-uart", UART_SBSA },
	{ "snps,dw-apb-uart", UART_8250 }, { "ns16550a", UART_8250 },
	{ "ns16550", UART_8250 },
};

/* Its compatible: the first entry that is known. */
static void node_kind(struct node *n, const struct prop *p)
{
	const char *s = prop_text(p), *end = s + p->size;

	for (; s && s < end && !n->known; s += strlen(s) + 1)
		for (u32 i = 0; i < UART_BINDINGS; i++)
			if (!strcmp(s, uart_bindings[i].compatible)) {
				n->known = true;
				n->kind = uart_bindings[i].kind;
			}
}

/* Its first address, by #address-cells of its parent. */
static void node_reg(struct node *n, const struct prop *p)
{
	u32 cells = n->cells[p->depth - 1];

	if (!cells || cells > 2 || p->size < 4 * cells)
		return;
	n->base = be32(p->value);
	if (cells == 2)
		n->base = n->base << 32 | be32(p->value + 4);
}

static enum walk node_prop(const struct blob *b, const struct prop *p, void *arg)
{
	struct node *n = arg;
	bool end;

	if (!on_the_way(b, p, n, &end))
		return WALK_ON;
	if (is(p, "#address-cells") && p->size == 4)
		n->cells[p->depth] = be32(p->value);
	if (is(p, "ranges"))
		n->ranges[p->depth] = !p->size;
	if (is(p, "status"))
		n->off |= strcmp(prop_text(p) ?: "", "okay") && strcmp(prop_text(p) ?: "", "ok");
	if (!end || !p->depth)
		return WALK_ON;
	if (is(p, "compatible"))
		node_kind(n, p);
	if (is(p, "reg"))
		node_reg(n, p);
	if (is(p, "reg-shift") && p->size == 4)
		n->shift = be32(p->value);
	if (is(p, "reg-io-width") && p->size == 4)
		n->width = be32(p->value);
	return WALK_ON;
}

/* The nodes between the root and the last of a path. */
static u32 ancestors(const struct node *n)
{
	u32 slashes = 0;

	for (u32 i = 0; i < n->len; i++)
		slashes += n->path[i] == '/';
	return slashes - 1;
}

static bool usable(const struct node *n)
{
	if (!n->known || n->off || !n->base || n->shift > 4 || ancestors(n) >= NODES_MAX)
		return false;
	for (u32 i = 1; i <= ancestors(n); i++)
		if (!n->ranges[i])
			return false;
	return n->kind != UART_8250 || n->width == 1 || (n->width == 4 && n->shift >= 2);
}

static enum earlycon at_node(const struct blob *b, const char *path, struct uart_place *at)
{
	struct node n = { .path = path, .width = 1 };

	while (path[n.len] && path[n.len] != ':')
		n.len++;
	if (*path != '/') {
		struct alias a = { .name = path, .len = n.len };

		if (walk(b, alias_prop, &a) == WALK_BAD)
			return EARLYCON_UNREADABLE;
		if (!a.path || *a.path != '/')
			return EARLYCON_NONE;
		n.path = a.path;
		n.len = (u32)strlen(a.path);
	}
	for (u32 i = 0; i < NODES_MAX; i++)
		n.cells[i] = CELLS_DEFAULT;
	if (walk(b, node_prop, &n) == WALK_BAD)
		return EARLYCON_UNREADABLE;
	if (!usable(&n))
		return EARLYCON_NONE;
	*at = (struct uart_place){
		.base = n.base, .kind = (enum uart_kind)n.kind, .shift = n.shift, .width = n.width
	};
	return EARLYCON_FOUND;
}

enum earlycon earlycon_find(const void *fdt, u64 limit, struct uart_place *at)
{
	struct chosen c = { 0 };
	const char *word;
	enum walk end;
	struct blob b;

	if (!open_blob(&b, fdt, limit))
		return EARLYCON_UNREADABLE;
	end = walk(&b, chosen_prop, &c);
	word = earlycon_word(c.bootargs);
	if (word && said(word, at))
		return EARLYCON_FOUND;
	if (end == WALK_BAD)
		return EARLYCON_UNREADABLE;
	return c.path ? at_node(&b, c.path, at) : EARLYCON_NONE;
}
