# A shell at a terminal: ^Z, bg, fg, jobs, ^C, ^D, ^\, a background job that reads, a trap.
# image: --icount
# programs: typist.c
"$D/typist"
