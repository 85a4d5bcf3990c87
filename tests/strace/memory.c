/* Mappings: anonymous, of a file, shared, fixed, grown, moved, protected, and what is refused. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct iovec parts[2] = {{"one ", 4}, {"two", 3}};

	ftruncate(fd, 2 * PAGE);
	pwritev(fd, parts, 2, 100);
	char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
	shared[PAGE] = 'S';
	private[1] = 'P';
	msync(shared, 2 * PAGE, MS_SYNC);
	pread(fd, private, 8, PAGE);
	char *memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(memory + 2 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(memory, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	mprotect(memory + 4 * PAGE, 2 * PAGE, PROT_READ);
	mprotect(memory + 1, PAGE, PROT_READ);
	munmap(memory + 7 * PAGE, PAGE);
	madvise(memory + 4 * PAGE, PAGE, MADV_DONTNEED);
	char *moved = mremap(memory + 4 * PAGE, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	mremap(moved, 6 * PAGE, PAGE, 0);
	mmap(NULL, PAGE, PROT_READ, MAP_SHARED, 99, 0);
	mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1);
	brk(0);
	sbrk(PAGE);
	write(1, (void *)PAGE, 5);
	int made = memfd_create("made", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ftruncate(made, PAGE);
	fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK);
	ftruncate(made, 0);
	mincore(memory, PAGE, (void *)private);
	return 0;
}
