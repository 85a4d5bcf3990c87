# A C++ program: streams, containers, threads, exceptions.
# image: --memory 1024
# programs: everyday.cc
"$D/everyday"; echo "status $?"
