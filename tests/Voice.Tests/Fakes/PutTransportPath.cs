using Voice.Protocol.Links;

namespace Voice.Tests.Fakes;

internal static class PutTransportPath
{
    public static WebRtcPath WebRtc(this PutTransport put) => (WebRtcPath)put.Path;

    public static PutTransport With(this PutTransport put, Func<WebRtcPath, WebRtcPath> change) => put with { Path = change(put.WebRtc()) };
}
