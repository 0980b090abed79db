"""Our server beside a Node Socket.IO peer on the same work: `make bench`.

works: what is run, and what each server is told; goals: the ratios that we are after; processes and
measure: one run; table: what the runs amount to. Counting is done by the generator in ../loadgen.
"""
