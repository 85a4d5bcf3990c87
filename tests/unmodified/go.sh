# A Go program: goroutines, timers, programs, signals, sockets.
# image: --memory 1024
# programs: everyday.go
"$D/everyday"; echo "status $?"
