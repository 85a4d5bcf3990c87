# CPython from Debian: what Python programs do every day.
# image: --memory 1024 --file /usr/bin/python3.11 --file /usr/lib/python3.11 --file /usr/lib/locale/C.utf8 --file /usr/lib/ssl
# programs: everyday.py
export HOME=/root
/usr/bin/python3.11 -c 'print("hello, world")'
/usr/bin/python3.11 "$D/everyday.py"; echo "status $?"
