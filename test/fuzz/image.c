/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of kernels (arm64 Image, ELF): a plan stays inside file and RAM, without overlap. */
#include "fuzz.h"

#include "vm/image.h"

#define RAM 0x40000000UL
#define RAM_SIZE (64UL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *file = exact_copy(data, size);
	struct image plan;

	image_is_kernel(file, size);
	if (!image_plan(&plan, file, size, RAM, RAM_SIZE)) {
		must(plan.segments > 0 && plan.segments <= ARRAY_SIZE(plan.segment));
		must(plan.entry >= RAM && plan.entry < RAM + RAM_SIZE);
		for (u32 i = 0; i < plan.segments; i++) {
			const struct image_segment *s = &plan.segment[i];

			must(s->offset <= size && s->filesz <= size - s->offset);
			must(s->filesz <= s->memsz);
			must(s->ipa >= RAM && s->ipa - RAM <= RAM_SIZE &&
			     s->memsz <= RAM_SIZE - (s->ipa - RAM));
			for (u32 j = 0; j < i; j++)
				must(s->ipa >= plan.segment[j].ipa + plan.segment[j].memsz ||
				     plan.segment[j].ipa >= s->ipa + s->memsz);
		}
	}
	free(file);
	return 0;
}
