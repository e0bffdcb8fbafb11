"""The duty desk: queue, filing, cases."""
