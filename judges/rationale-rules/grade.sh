#!/bin/sh
# The judge as a program: a JSON document on stdin, grades on stdout. Bytes, so that every awk counts alike.
LC_ALL=C
export LC_ALL
exec awk -f "$(dirname "$0")/grade.awk"
