/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the volume that the application was loaded from, by UEFI's Simple File System. */
#include "boot/efi.h"

#include "lib/log.h"
#include "lib/string.h"

#define FOLDER "\\EFI\\nidus\\" /* of names that begin at no root */

struct efi_file *efi_volume(const struct efi_boot_services *bs, efi_handle device)
{
	static const struct efi_guid which = {
		0x964e5b22, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
	};
	struct efi_file_system *fs = NULL;
	struct efi_file *root = NULL;

	if (!device || bs->protocol(device, &which, (void **)&fs) || fs->open(fs, &root))
		return NULL;
	return root;
}

/* The path of a file as UEFI writes it; false: it is too long or not of ASCII. */
static bool path_of(const char *name, u16 path[EFI_PATH_MAX])
{
	const char *part[] = { name[0] == '/' || name[0] == '\\' ? "" : FOLDER, name };
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(part); i++)
		for (const char *p = part[i]; *p; p++) {
			if (n == EFI_PATH_MAX - 1 || (u8)*p < ' ' || (u8)*p > '~')
				return false;
			path[n++] = *p == '/' ? '\\' : (u8)*p;
		}
	path[n] = 0;
	return n > 0;
}

/* Open a file; an error has its line. */
static efi_status open(struct efi_file *volume, const char *name, struct efi_file **file)
{
	u16 path[EFI_PATH_MAX];
	efi_status status;

	if (!path_of(name, path)) {
		log_line("%s: expected a path of at most %d ASCII characters", name,
			 EFI_PATH_MAX - 1);
		return EFI_INVALID_PARAMETER;
	}
	status = volume->open(volume, file, path, EFI_FILE_READ, 0);
	if (status)
		log_line("%s: can't be opened: UEFI status 0x%lx%s", name, status,
			 status == EFI_NOT_FOUND ? ", not found" : "");
	return status;
}

efi_status efi_file_size(struct efi_file *volume, const char *name, u64 *size)
{
	struct efi_file *file;
	efi_status status = open(volume, name, &file);

	if (status)
		return status;
	status = file->seek(file, EFI_FILE_END);
	if (!status)
		status = file->position(file, size);
	file->close(file);
	if (!status && *size)
		return EFI_SUCCESS;
	log_line("%s: expected a file that is not empty, found UEFI status 0x%lx", name, status);
	return status ? status : EFI_LOAD_ERROR;
}

efi_status efi_file_read(struct efi_file *volume, const char *name, void *to, u64 size)
{
	struct efi_file *file;
	efi_status status = open(volume, name, &file);
	u64 done = 0, n;

	if (status)
		return status;
	while (!status && done < size) {
		n = size - done;
		status = file->read(file, &n, (u8 *)to + done);
		if (!status && !n)
			status = EFI_LOAD_ERROR; /* shorter than it was */
		if (!status)
			done += n;
	}
	file->close(file);
	if (status)
		log_line("%s: read 0x%lx bytes of 0x%lx: UEFI status 0x%lx", name, done, size,
			 status);
	return status;
}
