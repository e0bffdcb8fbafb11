"""What may be done: one coroutine per thing a person or the clock may do."""
