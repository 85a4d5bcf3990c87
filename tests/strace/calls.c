/* A call of the system three functions deep, for `-k`. */
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) int inner(void) { return syscall(SYS_getuid) + 1; }
__attribute__((noinline)) int outer(void) { return inner() + 1; }

int main(void) { return outer() == 0; }
