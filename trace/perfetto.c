/* SPDX-License-Identifier: Apache-2.0 */
/* A trace as Perfetto's protobuf, packet by packet. */
#include <stdlib.h>
#include <string.h>

#include "perfetto.pb-c.h"
#include "slices.h"

#define SEQUENCE 1

typedef Perfetto__Protos__TracePacket Packet;
typedef Perfetto__Protos__TrackEvent Event;
typedef Perfetto__Protos__DebugAnnotation Note;

static u64 vm_uuid(u32 vm)
{
	return 0x6e69647573000000UL + vm * 0x10000;
}

static u64 vcpu_uuid(u32 vm, u32 vcpu)
{
	return vm_uuid(vm) + 0x100 + vcpu;
}

static u64 counter_uuid(u32 vm, u32 vcpu, enum counter which)
{
	return vm_uuid(vm) + 0x1000 + vcpu * 0x10 + (u32)which;
}

/* A Trace is a sequence of packets, each a field of its own: so they can be written one by one. */
static void put(FILE *out, Packet *packet)
{
	Perfetto__Protos__Trace trace = PERFETTO__PROTOS__TRACE__INIT;
	u8 small[1024], *buf = small;
	size_t n;

	packet->has_trusted_packet_sequence_id = 1;
	packet->trusted_packet_sequence_id = SEQUENCE;
	trace.n_packet = 1;
	trace.packet = &packet;
	n = perfetto__protos__trace__get_packed_size(&trace);
	if (n > sizeof(small))
		buf = malloc(n);
	perfetto__protos__trace__pack(&trace, buf);
	fwrite(buf, 1, n, out);
	if (buf != small)
		free(buf);
}

static void put_track(FILE *out, Perfetto__Protos__TrackDescriptor *track)
{
	Packet packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	packet.track_descriptor = track;
	put(out, &packet);
}

static void on_vm(void *user, const struct trace *t, u32 vm, const char *name)
{
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__ProcessDescriptor process = PERFETTO__PROTOS__PROCESS_DESCRIPTOR__INIT;

	(void)t;
	process.has_pid = 1;
	process.pid = (int)vm + 1;
	process.process_name = (char *)name;
	track.has_uuid = 1;
	track.uuid = vm_uuid(vm);
	track.process = &process;
	put_track(user, &track);
}

static void describe_counter(FILE *out, u32 vm, u32 vcpu, const char *of, enum counter which)
{
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__CounterDescriptor counter = PERFETTO__PROTOS__COUNTER_DESCRIPTOR__INIT;
	char name[96];

	snprintf(name, sizeof(name), "%s: %s", of, counter_name(which));
	counter.unit_name = (char *)counter_unit(which);
	track.has_uuid = track.has_parent_uuid = 1;
	track.uuid = counter_uuid(vm, vcpu, which);
	track.parent_uuid = vm_uuid(vm);
	track.name = name;
	track.counter = &counter;
	put_track(out, &track);
}

static void on_vcpu(void *user, u32 vm, u32 vcpu, const char *name)
{
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__ThreadDescriptor thread = PERFETTO__PROTOS__THREAD_DESCRIPTOR__INIT;

	thread.has_pid = thread.has_tid = 1;
	thread.pid = (int)vm + 1;
	thread.tid = (int)(1000 + vm * 100 + vcpu);
	thread.thread_name = (char *)name;
	track.has_uuid = track.has_parent_uuid = 1;
	track.uuid = vcpu_uuid(vm, vcpu);
	track.parent_uuid = vm_uuid(vm);
	track.thread = &thread;
	put_track(user, &track);
	for (u32 c = 0; c < COUNTERS; c++)
		describe_counter(user, vm, vcpu, name, (enum counter)c);
}

static void put_event(FILE *out, u64 ns, Event *event, Perfetto__Protos__TrackEvent__Type type,
		      u64 uuid)
{
	Packet packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	event->has_type = event->has_track_uuid = 1;
	event->type = type;
	event->track_uuid = uuid;
	packet.has_timestamp = 1;
	packet.timestamp = ns;
	packet.track_event = event;
	put(out, &packet);
}

static void note_number(Note *note, const char *name, u64 value)
{
	perfetto__protos__debug_annotation__init(note);
	note->name = (char *)name;
	note->has_pointer_value = 1;
	note->pointer_value = value;
}

static const char *what_of(const struct trace_record *r, char buf[96])
{
	return is_exit(r) ? verdict_name(TRACE_HOW(r->what) & TRACE_VERDICT) : event_cause(r, buf);
}

/* Name and category, and the fields of the record. */
static void put_named(FILE *out, const struct slice *s, Perfetto__Protos__TrackEvent__Type type,
		      u64 uuid)
{
	Event event = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	Note note[3], *notes[3] = { &note[0], &note[1], &note[2] };
	char *category = (char *)s->category;
	char what[96];
	u64 flow = s->flow;

	event.name = (char *)s->name;
	event.n_categories = 1;
	event.categories = &category;
	if (s->record) {
		note_number(&note[0], "detail", s->record->detail);
		note_number(&note[1], "data", s->record->data);
		perfetto__protos__debug_annotation__init(&note[2]);
		note[2].name = is_exit(s->record) ? "verdict" : "what";
		note[2].string_value = (char *)what_of(s->record, what);
		event.n_debug_annotations = ARRAY_SIZE(note);
		event.debug_annotations = notes;
	}
	if (flow && s->kind == FRAME_GUEST) {
		event.n_terminating_flow_ids = 1;
		event.terminating_flow_ids = &flow;
	} else if (flow) {
		event.n_flow_ids = 1;
		event.flow_ids = &flow;
	}
	put_event(out, s->ns, &event, type, uuid);
}

static void on_begin(void *user, u32 vm, u32 vcpu, const struct slice *s)
{
	put_named(user, s, PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN,
		  vcpu_uuid(vm, vcpu));
}

static void on_instant(void *user, u32 vm, u32 vcpu, const struct slice *s)
{
	put_named(user, s, PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT, vcpu_uuid(vm, vcpu));
}

static void on_end(void *user, u32 vm, u32 vcpu, u64 ns)
{
	Event event = PERFETTO__PROTOS__TRACK_EVENT__INIT;

	put_event(user, ns, &event, PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_END,
		  vcpu_uuid(vm, vcpu));
}

static void on_counter(void *user, u32 vm, u32 vcpu, u64 ns, enum counter which, u64 value)
{
	Event event = PERFETTO__PROTOS__TRACK_EVENT__INIT;

	event.has_counter_value = 1;
	event.counter_value = (int64_t)value;
	put_event(user, ns, &event, PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_COUNTER,
		  counter_uuid(vm, vcpu, which));
}

int perfetto_write(struct trace *t, FILE *out)
{
	static const struct viewer viewer = {
		on_vm, on_vcpu, on_begin, on_end, on_instant, on_counter,
	};

	slices_show(t, &viewer, out);
	return ferror(out) ? 1 : 0;
}
