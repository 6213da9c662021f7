using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Voice.Signaling.Gateway;

/// <summary>The page and the browser client, as they are embedded in the assembly.</summary>
internal static class Page
{
    private const string Folder = "web/";

    // The voice WebSocket is on another origin, that of the node the guild is on.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob: mediastream:; "
        + "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void MapPage(this IEndpointRouteBuilder app)
    {
        var assembly = typeof(Page).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var path = resource[Folder.Length..].Replace('\\', '/');
            app.MapMethods(path == "index.html" ? "/" : "/" + path, [HttpMethods.Get, HttpMethods.Head], Serve(path, content)).ExcludeFromDescription();
        }
    }

    private static Func<HttpContext, IResult> Serve(string path, byte[] content)
    {
        if (!new FileExtensionContentTypeProvider().TryGetContentType(path, out var type)) type = "application/octet-stream";
        if (type.StartsWith("text/", StringComparison.Ordinal)) type += "; charset=utf-8";
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content)[..8])}\"");
        var embeddable = path.EndsWith(".js", StringComparison.Ordinal);
        return context =>
        {
            var headers = context.Response.Headers;
            headers.CacheControl = "no-cache";
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            if (embeddable) headers.AccessControlAllowOrigin = "*"; // anybody's page may import the module
            return Results.Bytes(content, type, entityTag: tag);
        };
    }
}
