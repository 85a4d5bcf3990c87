/* Files by descriptor: flags, links, times, modes, names, folders, locks, and what is refused. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	char text[64];
	struct stat about;
	struct statx more;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	struct timespec times[2] = {{1000000000, 5}, {1, UTIME_OMIT}};

	umask(022);
	mkdir("folder", 0777);
	int folder = open("folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = openat(folder, "file", O_RDWR | O_CREAT | O_EXCL, 0666);
	openat(folder, "file", O_RDWR | O_CREAT | O_EXCL, 0666);
	write(file, "some text\n", 10);
	lseek(file, -4, SEEK_END);
	read(file, text, sizeof text);
	lseek(file, -1, SEEK_SET);
	linkat(folder, "file", folder, "link", 0);
	symlinkat("file", folder, "symbolic");
	readlinkat(folder, "symbolic", text, sizeof text);
	readlinkat(folder, "file", text, sizeof text);
	fstatat(folder, "symbolic", &about, AT_SYMLINK_NOFOLLOW);
	utimensat(folder, "file", times, 0);
	statx(folder, "file", AT_SYMLINK_NOFOLLOW, STATX_MTIME | STATX_SIZE | STATX_NLINK, &more);
	fchmod(file, 04711);
	fchown(file, 1, 2);
	fstat(file, &about);
	faccessat(folder, "file", W_OK, 0);
	faccessat(folder, "nothing", F_OK, 0);
	renameat2(folder, "file", folder, "link", RENAME_NOREPLACE);
	renameat(folder, "link", AT_FDCWD, "outside");
	fcntl(file, F_SETFL, O_APPEND | O_NONBLOCK);
	fcntl(file, F_GETFL);
	fcntl(file, F_SETLK, &lock);
	fcntl(file, F_GETLK, &lock);
	flock(file, LOCK_EX | LOCK_NB);
	int copy = fcntl(file, F_DUPFD_CLOEXEC, 10);
	dup2(copy, 20);
	dup3(copy, copy, 0);
	ftruncate(file, 5);
	fallocate(file, 0, 0, 100);
	unlinkat(folder, "folder", AT_REMOVEDIR);
	rmdir("folder");
	unlink("folder");
	DIR *list = fdopendir(folder);
	int entries = 0;
	while (readdir(list))
		entries++;
	closedir(list);
	chdir("folder");
	getcwd(text, sizeof text);
	open("file/below", O_RDONLY);
	open("folder/below", O_RDONLY);
	open(".", O_WRONLY);
	open("symbolic", O_RDONLY | O_NOFOLLOW);
	chdir("..");
	unlink("folder/file");
	unlink("folder/symbolic");
	rmdir("folder");
	rename("outside", "nowhere/else");
	return entries;
}
