/* SPDX-License-Identifier: Apache-2.0 */
/* What the device tree says about a PCI host bridge and the functions behind it. */
#pragma once

#include "dev/dt.h"
#include "dev/pci.h"

/*
 * Read the bridge at p into host: ECAM, root bus, windows. False with a complaint. host->segment
 * stands: the number that it has without linux,pci-domain.
 */
bool pci_host_read(struct pci_host *host, const struct machine *m, const struct dt *dt,
		   const struct dt_path *p);
/* The SMMU of a function and the stream that it has there; false: none that is up. */
bool pci_host_stream(const struct pci_host *host, const struct dt *dt, u32 rid,
		     struct smmu_stream *stream);
/* The ITS of a function's messages, NULL: none that is up; and the DeviceID that it has there. */
void pci_host_messages(const struct pci_host *host, const struct dt *dt, u32 rid,
		       struct its_device *msi);
