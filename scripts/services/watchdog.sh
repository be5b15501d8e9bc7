#!/bin/sh
# Runs one database server for as long as standard input stays open, then ends it and removes its folder.
# The owner may vanish in any way, kill -9 included: the kernel closes the pipe for it.
#
#   watchdog.sh <folder> <signal that ends the server at once> <command> [argument...]
#
# Each line on standard input starts the server (again); its process id goes to <folder>/pid.
folder=$1
signal=$2
shift 2
server=

end() {
  trap '' TERM HUP INT
  if [ -n "$server" ]; then
    # A stopped process takes no signal but KILL until it is continued.
    kill -CONT "$server" 2>/dev/null
    kill "-$signal" "$server" 2>/dev/null
    (sleep 8; kill -KILL "$server" 2>/dev/null) &
    impatience=$!
    wait "$server" 2>/dev/null
    kill "$impatience" 2>/dev/null
  fi
  # Children of a killed server may still be writing for a moment.
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$folder" 2>/dev/null && break
    sleep 0.2
  done
  exit 0
}
trap end TERM HUP INT

while read -r line; do
  [ -n "$server" ] && wait "$server" 2>/dev/null
  "$@" </dev/null >>"$folder/log" 2>&1 &
  server=$!
  echo "$server" >"$folder/pid.new" && mv "$folder/pid.new" "$folder/pid"
done
end
