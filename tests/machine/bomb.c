// A fork bomb of a user who may have COUNT processes: whatever can be forked is, for ever, and does the same.
//   bomb COUNT
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv) {
    rlim_t count = argc == 2 ? atoi(argv[1]) : 1;
    struct rlimit limit = {count, count};
    if (setrlimit(RLIMIT_NPROC, &limit) || setresuid(1000, 1000, 1000))
        return 1;
    for (;;)
        fork();
}
