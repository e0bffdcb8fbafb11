"""What 公众号 and WeCom share: wechatpy behind a guard, error codes, safe callbacks.

The only room that touches wechatpy, requests and xmltodict. No platform, no rule of the trade.
"""
