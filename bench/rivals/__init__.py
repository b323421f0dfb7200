"""The usual ways to keep one worker to a phone, each as its library's documents show it, with good settings.

Each module is the program of one host (`worker_command`) and fills the queues (`python -m bench.rivals.NAME PLAN
ORDER`). Everything is put under the prefix STAGED first; `bench/_rivals.py` then renames it into place, so that
the clock starts when all work is in the queues, as it does for Phonerack.
"""
