/* SPDX-License-Identifier: Apache-2.0 */
/* What is below nidus's production code in the deep model: each of the two nidus has its own. */
#pragma once

#include "exit/exit.h"
#include "exit/run.h"
#include "exit/vcpu.h"
#include "nested/level.h"
#include "nested/shadow.h"
#include "simd/simd.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"
#include "traps/vel2.h"

/* A nidus as its model sees it: its data, and the functions that the model calls. */
struct below {
	struct cpu *cpu;
	struct feat *feat;
	struct vcpu *vcpu; /* 2 */
	struct vm *vm;     /* 2 */
	struct vm_config *config;
	bool *chaos;
	bool (*simd_boot)(void);
	void (*traps_boot)(void);
	int (*simd_vcpu_init)(struct vcpu *vcpu);
	void (*vel2_bits_init)(struct vel2_bits *bits, const struct idregs *id);
	int (*vel2_init)(struct vcpu *vcpu);
	void (*reset)(struct vcpu *vcpu, u64 pc, u64 x0);
	void (*load)(struct vcpu *vcpu);
	void (*put)(struct vcpu *vcpu);
	enum run_result (*run)(struct vcpu *vcpu);
	u64 (*run_continue)(struct vcpu *vcpu, enum verdict verdict, enum exit_kind kind);
	enum verdict (*fast_irq)(struct vcpu *vcpu);
	void (*chaos_section)(void);
	void (*traps_invalidate)(struct vcpu *vcpu);
	struct traps (*traps_compute)(const struct vcpu *vcpu);
};
extern const struct below below;

/* What the model provides to it. */
void model_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind));
void model_chaos(void);
void model_acked(void); /* a physical interrupt */
bool model_irq_to_vel2(void);
u64 model_page(void); /* for a vcpu's VNCR page */
u64 model_home(void);
noreturn void model_never(const char *what);
noreturn void model_check(const char *file, int line, const char *what);
